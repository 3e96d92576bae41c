"""The pure heart: recipes, stages, schedules, plans, records. No TensorFlow, no NumPy, no I/O, no clock."""
