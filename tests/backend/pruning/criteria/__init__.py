"""Contracts of pruning criteria, one file each: see CONTRIBUTING.md."""
