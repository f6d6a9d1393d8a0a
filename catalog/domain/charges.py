"""Paid operations and their charges."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum


class Operation(StrEnum):
    """Operations of a face engine that Amazon charges for, under Amazon's names."""

    INDEX_FACES = "IndexFaces"
    SEARCH_FACES = "SearchFaces"
    SEARCH_FACES_BY_IMAGE = "SearchFacesByImage"
    DETECT_FACES = "DetectFaces"
    COMPARE_FACES = "CompareFaces"
    SEARCH_USERS = "SearchUsers"
    SEARCH_USERS_BY_IMAGE = "SearchUsersByImage"
    ASSOCIATE_FACES = "AssociateFaces"
    DISASSOCIATE_FACES = "DisassociateFaces"


@dataclass(frozen=True, slots=True)
class Charge:
    """Calls of one operation and their US dollars. Results of an engine that is not paid carry none."""

    operation: Operation
    calls: int
    dollars: Decimal
    intents: tuple[int, ...] = field(default=(), compare=False, repr=False)
    """Call intents that are closed when the charge is recorded (see ``catalog.domain.call_log``)."""
