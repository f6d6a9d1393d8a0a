"""The catalogue's database: SQLite or PostgreSQL, through one code."""
