"""Photos at an address: one photo, or the photos of a folder in the order of their names."""

from __future__ import annotations

import re
from collections.abc import Sequence

from sqlalchemy import Connection, select

from catalog.domain.uri import display, entry_name
from catalog.store.photos import below
from catalog.store.tables import locations, photos
from catalog.store.upsert import batches

_DIGITS = re.compile(rb"(\d+)")


def contents_at(connection: Connection, uri: str) -> list[str]:
    """Content hashes of the photos at a uri or below it, each once, in the order of folders and names.

    Numbers in names are compared as numbers: ``scan 2`` comes before ``scan 10``. Missing locations count only if the
    photo has no other one there.
    """
    query = (
        select(photos.c.sha256, locations.c.uri, locations.c.missing_since)
        .join_from(locations, photos)
        .where(below(uri.rstrip("/")), photos.c.left_out_by.is_(None))
    )
    rows = sorted(connection.execute(query).all(), key=lambda row: (row[2] is not None, _name_order(row[1])))
    is_present = any(missing is None for _, _, missing in rows)
    return list(dict.fromkeys(sha256 for sha256, _, missing in rows if missing is None or not is_present))


def contents_by_prefix(connection: Connection, prefix: str) -> list[str]:
    """Content hashes that begin with a text, at most two."""
    query = select(photos.c.sha256).where(photos.c.sha256.startswith(prefix, autoescape=True)).limit(2)
    return list(connection.scalars(query))


def first_paths(connection: Connection, contents: Sequence[str]) -> dict[str, str]:
    """One location of each photo as a user reads it, a present one if there is any."""
    paths: dict[str, str] = {}
    for batch in batches(contents):
        query = (
            select(photos.c.sha256, locations.c.uri)
            .join_from(locations, photos)
            .where(photos.c.sha256.in_(batch))
            .order_by(locations.c.missing_since.is_not(None), locations.c.uri)
        )
        for sha256, uri in connection.execute(query):
            paths.setdefault(sha256, display(uri))
    return paths


def _name_order(uri: str) -> tuple[str, list[tuple[int, bytes]]]:
    parts = _DIGITS.split(entry_name(uri).lower())
    return uri.rpartition("/")[0], [(int(part), b"") if part.isdigit() else (-1, part) for part in parts]
