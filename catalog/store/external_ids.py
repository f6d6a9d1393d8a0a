"""External ids of persons, such as Wikidata's QID, VIAF or GND: a JSON object in the column of the person's row."""

from __future__ import annotations

import json
from collections.abc import Mapping

from sqlalchemy import Connection, select, update

from catalog.store.tables import persons


def read_external_ids(connection: Connection) -> dict[int, dict[str, str]]:
    """External ids by scheme, by row id of the person; merged persons included."""
    query = select(persons.c.id, persons.c.external_ids).where(persons.c.external_ids.is_not(None))
    return {row: json.loads(text) for row, text in connection.execute(query)}


def set_external_ids(connection: Connection, person_row: int, external_ids: Mapping[str, str]) -> None:
    """Replace the external ids of a person."""
    text = json.dumps(dict(sorted(external_ids.items())), ensure_ascii=False) if external_ids else None
    connection.execute(update(persons).where(persons.c.id == person_row).values(external_ids=text))
