"""Where photos come from: folders and S3 prefixes, behind one protocol."""
