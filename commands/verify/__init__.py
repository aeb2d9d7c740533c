"""The command `verify`: roles in AWS against the configuration and the calls of the Glue kernel."""
