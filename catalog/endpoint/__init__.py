"""Amazon Rekognition's wire protocol, answered by the local engine. Knows no server: bytes in, bytes out."""
