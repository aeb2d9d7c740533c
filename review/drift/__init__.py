"""What others changed since the last apply."""
