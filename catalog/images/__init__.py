"""From a file's bytes to upright pixels, and from pixels to what people and engines need."""
