"""How long things take, beside the alternatives a user has."""
