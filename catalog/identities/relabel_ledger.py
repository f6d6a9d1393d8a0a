"""The ledger of a file of labels, added to the ledger here."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, insert, select, update

from catalog.store.tables import decisions


def add_decisions(connection: Connection, said: Sequence[Mapping[str, Any]]) -> int:
    """Add the decisions of a file that are not here yet, in their order; returns how many.

    They get numbers of this ledger, and what they remember of other decisions' numbers is told in these. An undo of
    what was decided here already is left out: what holds here goes on to hold.
    """
    known = known_decisions(connection)
    undone = _undone_by(said)
    numbers: dict[int, int] = {}
    added: set[int] = set()
    for row in said:
        there = known[decision_key(row)]
        if there:
            numbers[row["id"]] = there.pop(0)
            continue
        details = json.loads(row["details"]) if row["details"] else {}
        if row["verb"] == "undo":
            took_back = {details["of"], *details.get("with", ())} if "of" in details else undone[row["id"]]
            if not took_back & added or took_back & (numbers.keys() - added):
                continue
        values = {name: value for name, value in row.items() if name not in ("id", "undone_by")}
        values["details"] = _renumbered(details, numbers)
        numbers[row["id"]] = int(connection.execute(insert(decisions).returning(decisions.c.id), values).scalar_one())
        added.add(row["id"])
    for row in said:
        if row["id"] in added and row["undone_by"] in numbers:
            mine = decisions.c.id == numbers[row["id"]]
            connection.execute(update(decisions).where(mine).values(undone_by=numbers[row["undone_by"]]))
    return len(added)


def known_decisions(connection: Connection) -> defaultdict[tuple[Any, ...], list[int]]:
    """The numbers of the decisions that are here, by what tells them from others."""
    found: defaultdict[tuple[Any, ...], list[int]] = defaultdict(list)
    for row in connection.execute(select(decisions).order_by(decisions.c.id)).mappings():
        found[decision_key(row)].append(row["id"])
    return found


def decision_key(row: Mapping[Any, Any]) -> tuple[Any, ...]:
    """What tells one decision from another in every catalogue; those of one instant that look alike go by order."""
    names = ("decided_at", "decided_by", "verb", "person_id", "other_person_id", "photo_sha256", "box_left")
    return tuple(row[name] for name in names)


def _undone_by(said: Iterable[Mapping[str, Any]]) -> defaultdict[int, set[int]]:
    found: defaultdict[int, set[int]] = defaultdict(set)
    for row in said:
        if row["undone_by"] is not None:
            found[row["undone_by"]].add(row["id"])
    return found


def _renumbered(details: Mapping[str, Any], numbers: Mapping[int, int]) -> str | None:
    """What a decision remembers, with the numbers that other decisions have here; those left out are not mentioned."""
    told = dict(details)
    if "of" in told:
        told["of"], *told["with"] = [numbers[each] for each in (told["of"], *told.get("with", ())) if each in numbers]
    if told.get("copy_of") in numbers:
        told["copy_of"] = numbers[told["copy_of"]]
    else:
        told.pop("copy_of", None)
    return json.dumps(told, separators=(",", ":")) if told else None
