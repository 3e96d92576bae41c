"""Reports: data (pure) and thin drawers for text, HTML and figures."""
