"""Apply saved plans after checking them."""
