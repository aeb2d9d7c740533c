"""Policy documents as values: pure functions over dictionaries; no cdktf, no boto3."""
