"""Static pages: people, photos by year, expressions, co-occurrence. They need no network and no server."""
