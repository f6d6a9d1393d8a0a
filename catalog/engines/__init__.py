"""What sees faces: the local engine and Amazon Rekognition, behind one contract."""
