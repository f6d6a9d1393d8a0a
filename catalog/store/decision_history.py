"""The decision log in groups, without the prior states: a merge holds every face of the merged person."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

from sqlalchemy import Connection, case, func, select

from catalog.domain.decisions import Decision, Verb
from catalog.store.decision_rows import stored_decision
from catalog.store.tables import decisions
from catalog.store.upsert import batches

_TARGET = re.compile(r'"of":\s*(\d+)')
"""The number of the decision that an undo undid. A quotation mark inside a JSON string has a backslash before it."""


def groups_of(connection: Connection, numbers: Collection[int]) -> set[int]:
    """The groups of these decisions. A decision without a group counts as a group of its own number."""
    return {
        int(group)
        for batch in batches(sorted(numbers))
        for group in connection.scalars(
            select(func.coalesce(decisions.c.group, decisions.c.id)).where(decisions.c.id.in_(batch))
        )
    }


def read_groups(connection: Connection, groups: Sequence[int]) -> dict[int, list[Decision]]:
    """The decisions of these groups, by group, each oldest first.

    Their payloads are empty, except that an undo has the number of the decision that it undid. Raises
    ``DatabaseError`` for a damaged row.
    """
    others = [column for column in decisions.c if column.name != "details"]
    details = case((decisions.c.verb == Verb.UNDO.value, decisions.c.details)).label("details")
    by_group: dict[int, list[Decision]] = {group: [] for group in groups}
    for batch in batches(groups):
        is_member = decisions.c.group.in_(batch) | (decisions.c.group.is_(None) & decisions.c.id.in_(batch))
        query = select(*others, details).where(is_member).order_by(decisions.c.id)
        for row in connection.execute(query).mappings():
            decision = stored_decision({**row, "details": _target(row["details"])})
            by_group[decision.group or decision.number].append(decision)
    return by_group


def _target(details: str | None) -> str | None:
    target = None if details is None else _TARGET.search(details, max(0, details.rfind('"of":')))
    return None if target is None else f'{{"of":{target[1]}}}'
