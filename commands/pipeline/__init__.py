"""The command `pipeline`: the workflow steps besides plan and apply; `make pipeline-…`, see docs/pipelines/."""
