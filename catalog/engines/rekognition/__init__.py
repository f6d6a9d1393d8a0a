"""Amazon Rekognition through boto3."""
