"""CDKTF constructs."""
