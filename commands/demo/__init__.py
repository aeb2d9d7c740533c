"""The command `demo`: grant, drift and repair on a local AWS, with the real Terraform and the real Glue kernel."""
