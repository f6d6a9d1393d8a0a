"""The embedded engine: detection, alignment, embedding, attributes, and a gallery in the catalogue's database."""
