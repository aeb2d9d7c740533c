"""What a role has and lacks for Glue sessions."""
