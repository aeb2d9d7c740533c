"""AWS as it is now, read with boto3."""
