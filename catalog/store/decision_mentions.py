"""Decisions that mention persons or photos, found without parsing the payloads of all other decisions.

The payload of a merge holds every face of the merged person. Parsing it costs about 40 microseconds a face.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

from sqlalchemy import ColumnElement, Connection, select

from catalog.domain.decisions import Decision, Verb
from catalog.store.decision_rows import read_decisions
from catalog.store.tables import decisions
from catalog.store.upsert import batches

_FEW = 40
"""Texts up to this number are looked for one by one."""
_PERSONS_IN_COLUMNS = (
    Verb.NAME,
    Verb.RENAME,
    Verb.HIDE,
    Verb.UNHIDE,
    Verb.BORN,
    Verb.APART,
    Verb.CONFIRM,
    Verb.REJECT,
    Verb.NOT_A_FACE,
    Verb.MERGE,
    Verb.SPLIT,
)
"""Decisions whose columns name every canonical person that they involve. The payload of a merge also names persons that
redirected to the merged person. Such a person can become canonical again only by a later undo, which names it."""
_PHOTO_IN_COLUMNS = (
    Verb.NAME,
    Verb.RENAME,
    Verb.HIDE,
    Verb.UNHIDE,
    Verb.APART,
    Verb.CONFIRM,
    Verb.REJECT,
    Verb.NOT_A_FACE,
)
"""Decisions that change no face, or faces of the photo in their columns."""


def decisions_mentioning(
    connection: Connection, *, persons: Collection[str], contents: Collection[str], after: int
) -> list[Decision]:
    """Return the decisions after a number that may involve these canonical persons, or faces of these photos.

    ``persons`` are public ids, ``contents`` are content hashes. No such decision is missing, others may be among them.
    """
    later = decisions.c.id > after
    numbers: set[int] = set()
    for column, values in (
        (decisions.c.person_id, persons),
        (decisions.c.other_person_id, persons),
        (decisions.c.photo_sha256, contents),
    ):
        for batch in batches(sorted(values)):
            numbers |= set(connection.scalars(select(decisions.c.id).where(later, column.in_(batch))))
    in_columns = _PHOTO_IN_COLUMNS if contents else _PERSONS_IN_COLUMNS
    payloads = [later, decisions.c.verb.not_in([verb.value for verb in in_columns])]
    numbers |= set(_mentioning(connection, payloads, {*persons, *contents}))
    return read_decisions(connection, numbers=numbers) if numbers else []


def later_mentioning(
    connection: Connection, *, mentioned: Callable[[], Collection[str]], after: int, excluded: Collection[int]
) -> list[Decision]:
    """Return the decisions in force after a number whose payload may mention one of these persons or photos.

    ``mentioned`` gives public ids and content hashes; it is called if there is any later decision. ``excluded`` are
    numbers of decisions. An undo is left out if it undid later decisions only: it left no trace.
    """
    reverted = decisions.alias()
    of_undo = reverted.c.undone_by == decisions.c.id
    undid_earlier = select(reverted.c.id).where(of_undo, reverted.c.id <= after).exists()
    undid_any = select(reverted.c.id).where(of_undo).exists()
    is_trace = (decisions.c.verb != Verb.UNDO.value) | undid_earlier | ~undid_any
    query = select(decisions.c.id).where(decisions.c.id > after, decisions.c.undone_by.is_(None), is_trace)
    later = [number for number in connection.scalars(query.order_by(decisions.c.id)) if number not in excluded]
    if not later:
        return []
    wanted = mentioned()
    numbers = {
        number for batch in batches(later) for number in _mentioning(connection, [decisions.c.id.in_(batch)], wanted)
    }
    return read_decisions(connection, numbers=numbers) if numbers else []


def _mentioning(
    connection: Connection, conditions: Sequence[ColumnElement[bool]], wanted: Collection[str]
) -> list[int]:
    """Numbers of the decisions with these conditions whose payload has one of these texts as a JSON string."""
    query = select(decisions.c.id, decisions.c.details).where(decisions.c.details.is_not(None), *conditions)
    quoted = [f'"{text}"' for text in wanted]
    texts = frozenset(wanted)
    return [
        number
        for number, details in connection.execute(query)
        if (
            any(text in details for text in quoted)
            if len(quoted) <= _FEW
            # A public id or a content hash has no character that JSON escapes: it stands between two quotation marks.
            else not texts.isdisjoint(details.split('"'))
        )
    ]
