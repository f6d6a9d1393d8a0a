"""The decision that files of other programs state persons on photos without a detected face."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import Connection

from catalog.domain.decisions import StatePayload, Verb
from catalog.identities.decisions.log import DecisionStamp, append
from catalog.identities.decisions.prior_state import PriorStateBuilder
from catalog.store.named_appearances import (
    NamedAppearance,
    photos_stating_otherwise,
    replace_named_appearances,
)


def record_appearances(
    connection: Connection, by_photo: Mapping[str, Sequence[NamedAppearance]], stamp: DecisionStamp
) -> int | None:
    """Replace the named appearances of these photos, by content hash. Returns the number of the decision.

    None if the files state what is recorded already.
    """
    changed = photos_stating_otherwise(connection, by_photo)
    if not changed:
        return None
    before = PriorStateBuilder().appearances(connection, changed).build()
    replace_named_appearances(connection, {sha256: by_photo[sha256] for sha256 in changed}, stamp.now)
    return append(connection, Verb.APPEAR, stamp, payload=StatePayload(before))
