"""Amazon Rekognition's wire protocol, served from the local engine."""
