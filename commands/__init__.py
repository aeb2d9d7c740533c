"""What people run beside cdktf."""
