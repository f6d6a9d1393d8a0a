"""Names of persons in the JSON files of Google Takeout."""

from __future__ import annotations

import json
from pathlib import Path

from catalog.domain.errors import PhotoError

_MAX_BYTES = 1_000_000
"""Largest JSON file that is read. Takeout's files have a few kilobytes."""


def read_takeout_names(path: Path) -> list[str]:
    """Return the names under ``people``. Raises ``PhotoError`` and ``OSError``."""
    with path.open("rb") as file:
        data = file.read(_MAX_BYTES + 1)
    if len(data) > _MAX_BYTES:
        raise PhotoError(f"The file is larger than {_MAX_BYTES // 1_000_000} MB.")
    try:
        content = json.loads(data.decode("utf-8", "replace"))
    except (ValueError, RecursionError) as error:
        raise PhotoError("The file is not valid JSON.") from error
    people = content.get("people") if isinstance(content, dict) else None
    if not isinstance(people, list):
        return []
    names = (person.get("name") for person in people if isinstance(person, dict))
    return list(dict.fromkeys(tidy for name in names if isinstance(name, str) and (tidy := " ".join(name.split()))))
