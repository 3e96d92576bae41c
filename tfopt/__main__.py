"""`python -m tfopt`."""

from tfopt.cli.entry import run

if __name__ == "__main__":
    run()
