"""Values and contracts. Imports nothing else of catalog, and no third-party package at run time."""
