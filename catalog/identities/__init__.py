"""Who is who: edges, clusters, persons, and the decisions of humans, which always win."""
