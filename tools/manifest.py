"""Write the SHA-256 of the weight files to ``weights/manifest.json``."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

WEIGHTS = Path(__file__).parents[1] / "catalog" / "engines" / "local" / "weights"


def write_manifest(*files: str) -> None:
    """Update the digests of ``files``. The engine refuses a file that does not match the manifest."""
    path = WEIGHTS / "manifest.json"
    digests = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    digests |= {file: hashlib.sha256((WEIGHTS / file).read_bytes()).hexdigest() for file in files}
    path.write_text(json.dumps(digests, indent=2, sort_keys=True) + "\n", encoding="utf-8")
