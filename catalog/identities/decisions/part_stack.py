"""The decision that a photo is an exposure of its own: it never belongs to a stack."""

from __future__ import annotations

from sqlalchemy import Connection

from catalog.domain.decisions import PhotosPayload, Verb
from catalog.identities.decisions.log import DecisionStamp, append


def part_photo(connection: Connection, sha256: str, stamp: DecisionStamp) -> int:
    """Record the decision. Returns its number. Stacks must be formed again afterwards."""
    return append(connection, Verb.PART, stamp, payload=PhotosPayload((sha256,)))
