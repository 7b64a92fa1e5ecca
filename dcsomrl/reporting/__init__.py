"""What a report says about a finished run."""
