"""Estimate of the work and the cost of a scan. Nothing is written, and no paid call is made."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from types import MappingProxyType

from catalog.app.engines import engine_resources, free_engine
from catalog.app.plan_sample import PhotoSample, measure_sample
from catalog.app.resources import Resources
from catalog.domain.charges import Charge, Operation
from catalog.identities.assignment.neighbor_searches import SearchPlan, plan_searches
from catalog.scanning.photo_task import PhotoTask
from catalog.scanning.plan import Estimate, Step, estimate
from catalog.scanning.plan import plan as compare_listing
from catalog.store.gallery_info import count_faces

SAMPLED_PHOTOS = 50
"""Photos that the free engine looks at for the plan of a scan with the prefilter."""


@dataclass(frozen=True, slots=True)
class ScanPlan:
    """Counts of locations, and quotes of the paid calls.

    ``unseen`` photos were never read, ``altered`` ones look changed or are new to this gallery; both would be read.
    ``charges`` is the expected cost. ``lowest`` and ``highest`` are its range, in the same order. Without the
    prefilter, IndexFaces is an upper bound: copies of a photo are charged once.
    """

    discovered: int
    unchanged: int
    unseen: int
    altered: int
    skipped: int
    left_out: Mapping[str, int]
    """Files and folders left out, by rule. A folder counts once."""
    other_files: Mapping[str, int]
    """Files that are not photos, by ending."""
    charges: tuple[Charge, ...]
    lowest: tuple[Charge, ...]
    highest: tuple[Charge, ...]
    engine: str
    price_note: str
    """A sentence about prices that are a guess; empty if they are known."""
    gallery_note: str
    """A sentence if a remote gallery could not be asked whether the scan would be refused; else empty."""
    sampled_photos: int
    """Photos that the free engine looked at, for a plan with the prefilter."""
    stored_faces: int
    """Expected number of faces in the gallery after the scan."""
    storage_dollars: Decimal
    """Dollars a month for storing these faces."""


@dataclass(frozen=True, slots=True)
class _Calls:
    """Calls of one operation."""

    operation: Operation
    lowest: int
    expected: int
    highest: int


def plan(resources: Resources, addresses: Sequence[str], exclude: Sequence[str] = ()) -> ScanPlan:
    """Compare listings with the catalogue. Of files of unknown ending the start is read.

    With the prefilter, the free engine looks at up to :data:`SAMPLED_PHOTOS` photos. Raises EngineError with which the
    scan would refuse the gallery.
    """
    engine = resources.configured_engine
    is_paid = engine.capabilities.is_paid
    sample: list[PhotoTask] = []
    total = Estimate()
    note = ""
    with resources.existing_database() as database:
        if engine.capabilities.creates_gallery:
            engine_parts = engine_resources(
                resources.settings, lambda: database, lambda: resources.opener, resources.spending
            )
            note = engine.spec.verify_gallery(engine.options, engine_parts)
        for source in resources.sources(addresses, exclude):
            steps = compare_listing(database, source, engine=engine.name, gallery=resources.gallery)
            total.add(estimate(_sampled(steps, sample)))
        with database.read() as connection:
            known_faces = count_faces(connection, engine.name, resources.gallery)
    measured = None
    if is_paid and resources.settings.scan.prefilter and total.to_read:
        measured = _look_at(resources, sample)
    calls, new_faces = _calls(resources, total.to_read, measured) if is_paid else ((), 0)
    stored = known_faces + new_faces
    return ScanPlan(
        discovered=total.discovered,
        unchanged=total.unchanged,
        unseen=total.unseen,
        altered=total.altered,
        skipped=total.skipped,
        left_out=MappingProxyType(dict(total.left_out)),
        other_files=MappingProxyType(dict(total.other_files)),
        charges=tuple(resources.quote(part.operation, part.expected) for part in calls),
        lowest=tuple(resources.quote(part.operation, part.lowest) for part in calls),
        highest=tuple(resources.quote(part.operation, part.highest) for part in calls),
        engine=engine.name,
        price_note=engine.price_note(),
        gallery_note=note,
        sampled_photos=measured.photos if measured else 0,
        stored_faces=stored,
        storage_dollars=stored * engine.spec.face_month_price(engine.options),
    )


def _sampled(steps: Iterator[Step], sample: list[PhotoTask]) -> Iterator[Step]:
    """Pass the steps on, and keep a uniform sample of the photos to read (reservoir sampling, fixed seed)."""
    chance = random.Random(0)  # noqa: S311  a plan is repeatable
    unchanged_count = 0
    for step in steps:
        if isinstance(step, PhotoTask):
            unchanged_count += 1
            if len(sample) < SAMPLED_PHOTOS:
                sample.append(step)
            elif (index := chance.randrange(unchanged_count)) < SAMPLED_PHOTOS:
                sample[index] = step
        yield step


def _look_at(resources: Resources, tasks: Sequence[PhotoTask]) -> PhotoSample:
    parts = replace(resources.engine_resources, attributes="none")
    free = free_engine(resources.settings).open_without_gallery(parts)
    try:
        return measure_sample(tasks, free, resources.open_photo)
    finally:
        free.close()


def _calls(resources: Resources, photos: int, sample: PhotoSample | None) -> tuple[tuple[_Calls, ...], int]:
    """The calls of a scan that reads so many photos, and the faces that it would enroll.

    If user vectors are searched first, each searched face is searched there too. How many neighbor searches that saves
    is not known in advance.
    """
    index = _Calls(Operation.INDEX_FACES, 0, photos, photos)
    if sample is not None:
        sent = sample.sent(photos, resources.settings.scan.prefilter_sample)
        index = _Calls(Operation.INDEX_FACES, *sent)
    with resources.existing_database() as database, database.read() as connection:
        searches: SearchPlan = plan_searches(
            connection,
            engine=resources.settings.engine.name,
            gallery=resources.gallery,
            new_photos=photos,
            faces_per_photo=sample.faces_per_photo if sample else None,
        )
    rules = resources.configured_engine.user_vector_rules
    searched = (searches.at_least, searches.expected, searches.at_most)
    users = (_Calls(Operation.SEARCH_USERS, *searched),) if rules is not None and rules.search_first else ()
    return (index, *users, _Calls(Operation.SEARCH_FACES, *searched)), searches.new_faces
