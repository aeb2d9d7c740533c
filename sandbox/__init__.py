"""The local AWS: moto's server over TLS, and what moto lacks.

It knows nothing of the project and runs as a process of its own.
"""
