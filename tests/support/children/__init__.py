"""What tests run in child processes."""
