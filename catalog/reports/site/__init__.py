"""A folder of pages to look at: people, photos in time, expressions, company. Needs no network and no server."""
