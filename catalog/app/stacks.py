"""Stacks of files of one exposure: list them, and find the photos of decisions about them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from sqlalchemy import Connection

from catalog.app.find_photos import find_photos
from catalog.app.resources import Resources
from catalog.domain.errors import UsageError
from catalog.domain.stack_evidence import StackEvidence
from catalog.domain.uri import FILE_SCHEME, S3_SCHEME, absolute_path, display_name, file_uri
from catalog.scanning.form_stacks import form_stacks
from catalog.store.person_summaries import refresh_summaries
from catalog.store.stack_rows import StackRow, photos_by_hash, photos_by_uri, read_stack_rows

_HASH = re.compile(r"[0-9a-f]{6,64}")


@dataclass(frozen=True, slots=True)
class StackedFile:
    """A photo of a stack. ``evidence`` is None for the photo that counts. ``uris`` are its present locations."""

    sha256: str
    counts: bool
    evidence: StackEvidence | None
    width: int
    height: int
    uris: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Stack:
    """Files of one exposure, the photo that counts first."""

    photos: tuple[StackedFile, ...]


def stacks(resources: Resources) -> tuple[Stack, ...]:
    """The stacks of two or more photos, in the order in which their photos that count were recorded."""
    with resources.reading() as database, database.read() as connection:
        rows = read_stack_rows(connection)
    return tuple(
        Stack(tuple(_file(row) for row in members)) for _, members in groupby(rows, key=lambda row: row.counted)
    )


def find_stacked(connection: Connection, photo: str) -> str:
    """The content hash of a photo in a stack, by path, uri or the beginning of its hash. Raises UsageError."""
    is_uri = photo.startswith((FILE_SCHEME, S3_SCHEME))
    hashes = photos_by_uri(connection, photo if is_uri else file_uri(absolute_path(photo)))
    if not hashes and _HASH.fullmatch(photo):
        hashes = photos_by_hash(connection, photo)
    if len(hashes) != 1:
        problem = "is in no stack" if not hashes else "is the beginning of several content hashes"
        raise UsageError(f'The photo "{photo}" {problem}.', remedy="List the stacks: catalog stacks list")
    return hashes[0]


def find_joined(connection: Connection, resources: Resources, targets: Sequence[str]) -> list[str]:
    """The content hashes of photos to join, each once. Raises UsageError as ``Decisions.join`` says."""
    if not resources.settings.scan.stacks:
        raise UsageError("Stacks are switched off.", remedy="Set scan.stacks = true.")
    contents: list[str] = []
    for target in targets:
        matching = find_photos(connection, target)
        if len(matching) > 1:
            raise UsageError(f'"{display_name(target)}" holds several photos.', remedy="Name each photo to join.")
        contents += matching
    contents = list(dict.fromkeys(contents))
    if len(contents) < 2:
        raise UsageError("A stack needs two photos.", remedy="catalog stacks join PHOTO PHOTO ...")
    stacks = {row.sha256: row.counted for row in read_stack_rows(connection)}
    if len({stacks.get(sha256) for sha256 in contents}) == 1 and contents[0] in stacks:
        raise UsageError("The photos are in one stack already.")
    return contents


def refresh_stacks(resources: Resources) -> None:
    """Form the stacks again if photos, locations, decisions or the setting changed since the last time.

    The counts of the review pages follow.
    """
    if form_stacks(resources.database, enabled=resources.settings.scan.stacks):
        with resources.database.begin() as connection:
            refresh_summaries(connection, engine=resources.configured_engine.name, gallery=resources.gallery)


def _file(row: StackRow) -> StackedFile:
    return StackedFile(row.sha256, row.evidence is None, row.evidence, row.width, row.height, row.uris)
