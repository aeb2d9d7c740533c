"""What others changed in a role since the last apply: three snapshots of it, compared, and who is affected."""
