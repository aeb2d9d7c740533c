"""What a role has and lacks for Glue sessions, and what the Glue kernel asks of it."""
