"""What threads do for a scan, one photo at a time: read its bytes, and have its faces enrolled."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from catalog.domain.content_hash import sha256_of
from catalog.domain.engine import Engine
from catalog.domain.opened_photo import OpenedPhoto
from catalog.scanning.plan import ToRead
from catalog.scanning.record_stage import Arrival, Sighting

Open = Callable[[bytes], OpenedPhoto]
"""Decodes a photo's bytes. Raises PhotoError."""


def read(step: ToRead) -> Arrival:
    """The photo's bytes, and which content they are. Raises PhotoError and SourceError."""
    content = step.source.open(step.ref)
    return Arrival(step, sha256_of(content.data), len(content.data), content)


def see(arrival: Arrival, engine: Engine, open_photo: Open) -> Sighting:
    """Decode a photo and let the engine enroll its faces. Raises PhotoError and EngineError."""
    assert arrival.content is not None
    photo = replace(open_photo(arrival.content.data), address=arrival.content.address)
    enrollment = engine.enroll(photo, arrival.sha256)
    # The pixels are no longer needed; what waits in the line stays small.
    return Sighting(replace(photo, pixels=photo.pixels[:0], data=b""), enrollment)
