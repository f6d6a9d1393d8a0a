"""The environment of a scan that pays at our endpoint and stores everything in one folder."""

from __future__ import annotations

from pathlib import Path


def environment(url: str, home: Path, *, calls_per_second: int) -> dict[str, str]:
    """Variables that make ``catalog scan`` use the endpoint at ``url``. The catalogue is ``home/catalog.sqlite3``."""
    return {
        "HOME": str(home),
        "XDG_STATE_HOME": str(home),
        "AWS_ACCESS_KEY_ID": "a",
        "AWS_SECRET_ACCESS_KEY": "b",
        "CATALOG_DATABASE_URL": str(home / "catalog.sqlite3"),
        "CATALOG_ENGINE_NAME": "rekognition",
        "CATALOG_REKOGNITION_REGION": "us-east-1",
        "CATALOG_REKOGNITION_ENDPOINT_URL": url,
        "CATALOG_REKOGNITION_CALLS_PER_SECOND": str(calls_per_second),
    }
