"""The command line: a thin face on `tfopt.api`."""
