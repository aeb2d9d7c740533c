"""What this project grants, as policy documents."""
