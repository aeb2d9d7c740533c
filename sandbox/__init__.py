"""The local AWS: moto's server over TLS, with the parts that moto lacks.

It imports nothing of the project and runs in a separate process.
"""
