"""HTTP: one server (Starlette, uvicorn) for the Rekognition endpoint and for the review pages."""
