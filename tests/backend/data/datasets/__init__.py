"""Contracts of data sets, one file each: see CONTRIBUTING.md."""
