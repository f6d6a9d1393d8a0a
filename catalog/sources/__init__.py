"""Sources of photos: folders and S3 prefixes, behind one protocol."""
