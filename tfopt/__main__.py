"""`python -m tfopt` is `tfopt`."""

from tfopt.cli.main import main

if __name__ == "__main__":
    main(prog_name="tfopt")
