"""What policies mean: statements as sets of requests, compared and evaluated. It knows nothing of what is granted."""
