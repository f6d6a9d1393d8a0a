"""Shell completion of a PERSON argument."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from catalog.app.settings import default_database, load_settings
from catalog.domain.errors import CatalogError
from catalog.store.name_completion import complete_persons

SQLITE = "sqlite:///"


def complete_person(ctx: Any, incomplete: str) -> list[tuple[str, str]]:
    """Names and ids of the catalogue that the command line, the environment or the settings name."""
    try:
        settings = load_settings(ctx.params.get("config"), flags={"database.url": ctx.params.get("database")})
    except CatalogError:
        return []  # the command itself reports the error
    address = settings.database.url or str(default_database())
    if "://" in address and not address.startswith(SQLITE):
        return []
    return complete_persons(Path(address.removeprefix(SQLITE)).expanduser(), incomplete)
