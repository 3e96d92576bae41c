"""Contract suites that every stage, export, dataset and zoo model passes, also those of other packages."""
