"""Questions to the catalogue, each one SQL file, and how the answers are shown."""
