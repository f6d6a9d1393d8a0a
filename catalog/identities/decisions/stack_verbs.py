"""Decisions about stacks: a photo is an exposure of its own, or photos are files of one exposure."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection

from catalog.domain.decisions import PhotosPayload, Verb
from catalog.identities.decisions.log import DecisionStamp, append


def part_photo(connection: Connection, sha256: str, stamp: DecisionStamp) -> int:
    """Record the decision. Returns its number. Stacks must be formed again afterwards."""
    return append(connection, Verb.PART, stamp, payload=PhotosPayload((sha256,)))


def join_photos(connection: Connection, contents: Sequence[str], stamp: DecisionStamp) -> int:
    """Record that photos, two or more, show one exposure. Returns the number. Stacks must be formed again after it."""
    return append(connection, Verb.JOIN, stamp, payload=PhotosPayload(tuple(contents)))
