"""Photos that locations showed before they were edited, with the decisions that were carried to the edited ones.

Few scans see an edited photo, so what it needs is loaded for the first one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import Connection

if TYPE_CHECKING:
    from catalog.store.edited_photos import CarriedDecisions


@dataclass(frozen=True, slots=True)
class PreviousPhoto:
    """The photo that a location showed before, and the decisions carried from it to the edited photo."""

    photo_id: int
    carried: CarriedDecisions | None


def carry_over(connection: Connection, previous: int, edited: int) -> CarriedDecisions | None:
    """Carry the decisions of a photo to the edited one, by row ids."""
    from catalog.store.edited_photos import carry_decisions_over

    return carry_decisions_over(connection, previous, edited)


def revert_for_copies(connection: Connection, previous_photos: Sequence[PreviousPhoto], began: datetime) -> None:
    """Revert decisions that were carried from photos of which another copy appeared since ``began``."""
    from catalog.store.edited_photos import appeared_elsewhere, revert_carried

    for previous in previous_photos:
        if previous.carried is not None and appeared_elsewhere(connection, previous.photo_id, began):
            revert_carried(connection, previous.carried)
