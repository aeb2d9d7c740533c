"""The command `discover`: SageMaker domains, user profiles and spaces, and the grants of their execution roles."""
