"""The identity of this catalogue, by which it knows its own faces in a gallery that it shares."""

from __future__ import annotations

import secrets

from sqlalchemy import Connection, select

from catalog.store.tables import catalogue
from catalog.store.upsert import insert_into


def catalogue_owner(conn: Connection) -> str:
    """Return the name, 12 lower-case hex digits. It is chosen at the first call and kept in backups."""
    row = {"id": 1, "owner": secrets.token_hex(6)}
    conn.execute(insert_into(conn, catalogue).on_conflict_do_nothing(), row)
    return str(conn.scalar(select(catalogue.c.owner)))
