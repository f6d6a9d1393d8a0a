"""Apparent group of faces, by gender and age, for error rates by group."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, select

from catalog.store.tables import faces
from catalog.store.upsert import batches

_ADULT, _OLD = 18, 65


def apparent_groups(connection: Connection, row_ids: Sequence[int]) -> dict[int, str]:
    """Return the apparent group of faces by row id. Faces without a measured age and gender are left out."""
    groups: dict[int, str] = {}
    columns = (faces.c.id, faces.c.age_low, faces.c.age_high, faces.c.gender)
    for batch in batches(row_ids):
        for row, low, high, gender in connection.execute(select(*columns).where(faces.c.id.in_(batch))):
            if low is not None and high is not None:
                group = _group((low + high) / 2, gender)
                if group is not None:
                    groups[row] = group
    return groups


def _group(age: float, gender: str | None) -> str | None:
    if age < _ADULT:
        return f"under {_ADULT}"
    if gender is None:
        return None
    kind = "women" if gender == "Female" else "men"
    return f"{kind} of {_OLD} and over" if age >= _OLD else f"{kind} under {_OLD}"
