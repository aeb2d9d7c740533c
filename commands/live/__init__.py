"""AWS as it is now: an account, and the roles in it, read with boto3."""
