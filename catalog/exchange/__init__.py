"""Files that other programs read and write: XMP sidecars, CSV, JSON, Parquet."""
