"""What a plan means: findings, reports, drift."""
