"""Recipes with one mistake each, for `test_broken_recipes.py`: what is written, and what the user is told."""
