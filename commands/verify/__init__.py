"""Checks live roles against what the configuration declares and what the Glue kernel needs."""
