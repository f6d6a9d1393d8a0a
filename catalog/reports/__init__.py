"""Reports: SQL files, filters, result tables and static pages."""
