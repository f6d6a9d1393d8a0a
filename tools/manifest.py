"""The list of SHA-256 by which the engine knows its weights: ``weights/manifest.json``."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

WEIGHTS = Path(__file__).parents[1] / "catalog" / "engines" / "local" / "weights"


def write_manifest(*files: str) -> None:
    """Note the digests of ``files`` beside those of the others; the engine refuses a file that does not match."""
    path = WEIGHTS / "manifest.json"
    digests = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    digests |= {file: hashlib.sha256((WEIGHTS / file).read_bytes()).hexdigest() for file in files}
    path.write_text(json.dumps(digests, indent=2, sort_keys=True) + "\n", encoding="utf-8")
