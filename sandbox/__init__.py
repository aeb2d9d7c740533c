"""The local AWS: moto, and what moto lacks."""
