"""The local AWS: moto's server over TLS, and what moto lacks. A process of its own that knows nothing of the project."""
