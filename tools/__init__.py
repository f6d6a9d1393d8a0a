"""Scripts that build what the package ships: weights, frozen schema, docs and pictures. Never imported by catalog."""
