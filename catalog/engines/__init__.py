"""Engines: the local engine and Amazon Rekognition behind one contract, their wrappers and the registry."""
