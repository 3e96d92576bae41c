"""A phone for tests: an adb server that answers as one does, and what Google's tools print."""
