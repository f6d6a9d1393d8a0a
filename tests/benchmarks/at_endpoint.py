"""What a scan in a process of its own is told, so that it pays at our endpoint and keeps everything in one folder."""

from __future__ import annotations

from pathlib import Path


def environment(url: str, home: Path, *, calls_per_second: int) -> dict[str, str]:
    """Variables that turn ``catalog scan`` to the endpoint at ``url``; its catalogue is ``home/catalog.sqlite3``."""
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
