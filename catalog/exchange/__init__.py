"""Exchange with other programs: XMP sidecars, CSV, JSON, Parquet, albums."""
