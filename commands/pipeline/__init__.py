"""What the workflows of a pipeline do beside planning and applying: `make pipeline-…`, see docs/pipelines/."""
