"""Estimate of the work and the cost of a scan. Nothing is written, and no paid call is made."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from types import MappingProxyType

from catalog.app.engines import engine_resources, free_engine
from catalog.app.plan_calls import CallPlanner, PlannedCalls, ScanCalls
from catalog.app.plan_copies import CopyCounter, CountRange
from catalog.app.plan_sample import SAMPLED_PHOTOS, PhotoSample, TaskSample, measure_sample
from catalog.app.plan_time import estimated_seconds
from catalog.app.resources import Resources
from catalog.domain.charges import Charge
from catalog.domain.source import Source
from catalog.engines.engine_spec import EngineResources
from catalog.scanning.estimate import Estimate, estimate
from catalog.scanning.photo_task import PhotoTask
from catalog.scanning.plan import Step, Unchanged
from catalog.scanning.plan import plan as compare_listing
from catalog.store.database import Database
from catalog.store.gallery_info import count_faces, enrolled_sizes, prefiltered_photos
from catalog.store.listed_photos import UnchangedLocations
from catalog.store.neighbor_search_rows import count_searches
from catalog.store.photos import find_enrolled, locations_by_uri
from catalog.store.stack_rows import photos_not_sent


@dataclass(frozen=True, slots=True)
class PlannedFolder:
    """A folder or prefix with its own photos, without those of folders inside. ``to_read`` are new or changed."""

    uri: str
    discovered: int
    to_read: int


@dataclass(frozen=True, slots=True)
class ScanPlan:
    """Counts of locations, and quotes of the paid calls.

    ``unseen`` photos were never read, ``altered`` ones look changed or are new to this gallery; both would be read.
    ``charges`` is the expected cost. ``lowest`` and ``highest`` are its range, in the same order. Copies of a photo are
    charged once, and so are files of one exposure.
    """

    discovered: int
    unchanged: int
    unseen: int
    altered: int
    skipped: int
    stacked: int
    """Of these, files of an exposure of which another file is charged. They are read and not charged."""
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
    """Photos that the free engine looked at: with the prefilter, and while the gallery has few photos."""
    stored_faces: int
    """Expected number of faces in the gallery after the scan."""
    storage_dollars: Decimal
    """Dollars a month for storing these faces."""
    folders: tuple[PlannedFolder, ...] = ()
    """The folders with photos, those with the most photos first."""
    seconds: float | None = None
    """Estimated time of the scan; None if earlier scans and photos of folders give no estimate."""


@dataclass(slots=True)
class _Survey:
    """The photos that a scan would read."""

    copies: CopyCounter
    is_paid: bool
    sample: TaskSample = field(default_factory=TaskSample)
    altered: int = 0
    """Files that look changed, or whose photo the gallery does not hold."""
    prefiltered: frozenset[int] = frozenset()
    """Row ids of photos that an earlier prefilter did not send."""
    without_faces: set[int] = field(default_factory=set)
    """Row ids of those among them that this scan would send."""

    def add(self, task: PhotoTask) -> None:
        if task.known is not None and task.known.photo_id in self.prefiltered:
            self.without_faces.add(task.known.photo_id)
        if self.is_paid:
            self.copies.add(task)
        self.sample.add(task)
        self.altered += task.known is not None


def plan(resources: Resources, addresses: Sequence[str], exclude: Sequence[str] = ()) -> ScanPlan:
    """Compare listings with the catalogue. Of files of unknown ending the start is read.

    For a paid engine some photos are read: possible copies, and a sample at which the free engine looks. A free engine
    looks at a few photos for the estimate of the time, if no earlier scan tells it. Raises EngineError with which the
    scan would refuse the gallery.
    """
    engine = resources.configured_engine
    is_paid = engine.capabilities.is_paid
    note = ""
    with resources.existing_database() as database:
        parts = engine_resources(resources.settings, lambda: database, lambda: resources.opener, resources.spending)
        if engine.capabilities.creates_gallery:
            note = engine.spec.verify_gallery(engine.options, parts)
        place = {"engine": engine.name, "gallery": resources.gallery}
        with database.read() as connection:
            known_faces = count_faces(connection, **place)
            is_prefiltered = resources.settings.scan.prefilter or not is_paid
            prefiltered = frozenset() if is_prefiltered else prefiltered_photos(connection, **place)
            requeued = prefiltered
            if is_paid and not resources.settings.scan.stacks:
                # The scan sends what earlier scans did not send because of stacks.
                requeued |= photos_not_sent(connection, **place)
            sizes = enrolled_sizes(connection, **place) if is_paid else ()
            survey = _Survey(CopyCounter(sizes), is_paid, prefiltered=prefiltered)
        total = Estimate()
        for source in resources.sources(addresses, exclude):
            steps = compare_listing(database, source, **place)
            pays_per_shot = is_paid and resources.settings.scan.stacks
            total.add(estimate(_requeue(database, steps, source, requeued), survey.add, pays_per_shot=pays_per_shot))
        calls, looked_at = ScanCalls((), 0), 0
        if is_paid:
            calls, looked_at = _calls(resources, database, parts, survey, total, requeued)
        this_month = parts.calls_this_month()
    stored = known_faces + calls.new_faces

    def quotes(number: Callable[[PlannedCalls], int]) -> tuple[Charge, ...]:
        return tuple(engine.quote(this_month, part.operation, number(part)) for part in calls.calls)

    return ScanPlan(
        discovered=total.discovered,
        unchanged=total.unchanged,
        unseen=total.unseen,
        altered=total.altered,
        skipped=total.skipped,
        stacked=total.stacked,
        left_out=MappingProxyType(dict(total.left_out)),
        other_files=MappingProxyType(dict(total.other_files)),
        charges=quotes(lambda part: part.calls.expected),
        lowest=quotes(lambda part: part.calls.lowest),
        highest=quotes(lambda part: part.calls.highest),
        engine=engine.name,
        price_note=engine.price_note(),
        gallery_note=note,
        sampled_photos=looked_at,
        stored_faces=stored,
        storage_dollars=stored * engine.spec.face_month_price(engine.options),
        folders=_folders(total),
        seconds=estimated_seconds(resources, total.to_read, survey.sample.tasks),
    )


def _folders(counts: Estimate) -> tuple[PlannedFolder, ...]:
    ordered = sorted(counts.folders.items(), key=lambda item: (-item[1].discovered, item[0]))
    return tuple(PlannedFolder(uri, folder.discovered, folder.to_read) for uri, folder in ordered)


def _requeue(database: Database, steps: Iterator[Step], source: Source, requeued: frozenset[int]) -> Iterator[Step]:
    """Pass the steps on, with tasks for photos that an earlier prefilter skipped and that this scan would send.

    ``requeued`` are the row ids of these photos.
    """
    for step in steps:
        if not isinstance(step, Unchanged) or requeued.isdisjoint(step.locations.photo_ids):
            yield step
            continue
        with database.read() as connection:
            recorded = locations_by_uri(connection, step.locations.uris)
        for location in sorted(recorded.values()):
            if location.photo_id in requeued:
                yield PhotoTask(source, location.ref, location)
            else:
                yield Unchanged(UnchangedLocations.of([location]))


def _calls(
    resources: Resources,
    database: Database,
    parts: EngineResources,
    survey: _Survey,
    total: Estimate,
    requeued: frozenset[int],
) -> tuple[ScanCalls, int]:
    """The calls, and the number of photos that the free engine looked at."""
    place = {"engine": resources.configured_engine.name, "gallery": resources.gallery}

    def is_enrolled(sha256: str) -> bool:
        with database.read() as connection:
            photo_id = find_enrolled(connection, sha256, **place)
        return photo_id is not None and photo_id not in requeued

    photos = survey.copies.distinct(is_enrolled)
    # The highest number holds if images do not confirm what names say of one exposure.
    photos = CountRange(max(0, photos.lowest - total.stacked), max(0, photos.expected - total.stacked), photos.highest)
    with database.read() as connection:
        known_photos = count_searches(connection, **place).photos
    needs_sample = resources.settings.scan.prefilter or known_photos < SAMPLED_PHOTOS
    sample = _look_at(resources, survey.sample.tasks) if total.to_read and needs_sample else None
    changed = survey.altered if known_photos else 0
    calls = CallPlanner(resources, database, parts, sample).plan(photos, changed, len(survey.without_faces))
    return calls, sample.photos if sample else 0


def _look_at(resources: Resources, tasks: Sequence[PhotoTask]) -> PhotoSample:
    parts = replace(resources.engine_resources, attributes="none")
    free = free_engine(resources.settings).open_without_gallery(parts)
    try:
        return measure_sample(tasks, free, resources.open_photo)
    finally:
        free.close()
