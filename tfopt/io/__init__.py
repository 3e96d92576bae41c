"""Files: YAML with positions, the artifact store, the journal of a run."""
