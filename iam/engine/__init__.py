"""What policies mean."""
