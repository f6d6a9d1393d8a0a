"""The steps after a scan, as a list: assign people, form stacks, update user vectors, check the watch list.

Each step is idempotent: after a kill at any point the next scan completes it. ``restore``, ``reconcile``, ``undo`` and
decisions about faces run the first step only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from catalog.app.cluster_means import ClusterMeansEngine, ComputingCluster
from catalog.app.engines import search_engine
from catalog.app.resources import Resources
from catalog.domain.charges import Charge
from catalog.domain.engine import Engine
from catalog.identities.assignment import assign_people as assigning
from catalog.identities.assignment import sync_user_vectors as syncing
from catalog.identities.assignment.review_queue import refresh_questions
from catalog.identities.decisions.log import read_decision
from catalog.identities.matching.watch_hits import WatchHit
from catalog.identities.matching.watch_list import check_watches
from catalog.scanning.form_stacks import form_stacks
from catalog.scanning.summary import Summary
from catalog.store.catalogued_faces import faces_by_content


@dataclass(frozen=True, slots=True)
class AfterScanContext:
    """Resources that the steps of one scan share. ``scan_id`` is None if no scan ran before, as after a decision."""

    resources: Resources
    engine: Engine
    """The engine for searches of new faces."""
    scan_id: int | None
    unrecorded_charges: list[Charge] = field(default_factory=list)
    """Charges that the step has not recorded itself; the runner records them even if the step raises."""


@dataclass(frozen=True, slots=True)
class StepResult:
    """Counts of one step. The step itself recorded ``charges``. ``churn`` counts separated faces."""

    charges: tuple[Charge, ...] = ()
    persons_new: int = 0
    persons_deleted: int = 0
    churn: int = 0
    conflicts: int = 0
    hits: tuple[WatchHit, ...] = ()


AfterScanStep = Callable[[AfterScanContext], StepResult]


def assign_people(context: AfterScanContext) -> StepResult:
    """Assign a person to every new face of the gallery."""
    resources = context.resources
    result = assigning.assign_people(
        resources.database,
        context.engine,
        resources.rules,
        gallery=resources.gallery,
        region=resources.region,
        scan_id=context.scan_id,
        now=datetime.now(UTC),
    )
    return StepResult(
        charges=result.charges,
        persons_new=result.persons_new,
        persons_deleted=result.persons_deleted,
        churn=result.churn,
        conflicts=result.conflicts,
    )


def form_photo_stacks(context: AfterScanContext) -> StepResult:
    """Decide which photos are files of one exposure, and which of them counts."""
    form_stacks(context.resources.database, enabled=context.resources.settings.scan.stacks)
    return StepResult()


def sync_user_vectors(context: AfterScanContext) -> StepResult:
    """Make the engine's user vectors equal to the persons with confirmed faces, if the settings ask for them."""
    resources = context.resources
    users = resources.engine.user_vectors
    if users is not None:
        syncing.sync_user_vectors(
            resources.database,
            users,
            engine=resources.engine.name,
            gallery=resources.gallery,
            min_faces=users.rules.min_faces,
            max_faces=users.rules.max_faces,
            on_charge=context.unrecorded_charges.append,
        )
    return StepResult()


def check_watch_list(context: AfterScanContext) -> StepResult:
    """Search the gallery for the persons of the watch list and record new hits.

    A person is searched for if the entry is new or the gallery has other faces than at the last search.
    """
    resources = context.resources
    hits, charges = check_watches(
        resources.database,
        resources.engine,
        resources.open_photo,
        gallery=resources.gallery,
        region=resources.region,
        scan_id=context.scan_id,
        now=datetime.now(UTC),
        skip_searched=True,
    )
    return StepResult(charges=tuple(charges), hits=tuple(hits))


def refresh_review_questions(context: AfterScanContext) -> StepResult:
    """Compute the questions of the review queue again."""
    resources = context.resources
    with resources.database.begin() as connection:
        refresh_questions(
            connection, resources.engine, resources.rules, gallery=resources.gallery, now=datetime.now(UTC)
        )
    return StepResult()


AFTER_SCAN: tuple[AfterScanStep, ...] = (
    assign_people,  # first: the others read assignments
    form_photo_stacks,  # compares the persons of faces
    sync_user_vectors,  # needs confirmed persons
    check_watch_list,  # searches the gallery that this scan filled
    refresh_review_questions,  # last: reads assignments
)

ASSIGNMENT_ONLY: tuple[AfterScanStep, ...] = (assign_people,)


def run_after_scan_steps(
    resources: Resources,
    scan_id: int | None,
    summary: Summary,
    steps: Iterable[AfterScanStep] = AFTER_SCAN,
    *,
    cluster: ComputingCluster | None = None,
) -> tuple[WatchHit, ...]:
    """Run the steps in order and add their counts and charges to the summary. Returns the new hits of the watch list.

    ``cluster`` computes the neighbor graph of many new faces. Raises what a step raises, LimitReached included; later
    steps then do not run.
    """
    engine = search_engine(resources.engine)
    if cluster is not None:
        engine = ClusterMeansEngine(engine, cluster)
    context = AfterScanContext(resources, engine, scan_id)
    hits: tuple[WatchHit, ...] = ()
    for step in steps:
        try:
            result = step(context)
        finally:
            # Also on an error: the calls were billed.
            _record_charges(context, summary)
        summary.persons_new += result.persons_new
        summary.persons_deleted += result.persons_deleted
        summary.churn += result.churn
        summary.conflicts += result.conflicts
        summary.add_charges(result.charges)
        hits += result.hits
    return hits


def assign_released_faces(resources: Resources, number: int) -> None:
    """Assign the faces that decision ``number`` left without a person, if that costs nothing."""
    chosen = resources.settings.engine
    if resources.configured_engine.capabilities.is_paid:
        return
    with resources.database.read() as connection:
        decision = read_decision(connection, number)
        moved = decision.changed_faces() if decision is not None else []
        faces_on_photos = faces_by_content(connection, {place.sha256 for place in moved})
    is_needed = any(
        face.person_id is None and not face.not_a_face and face.place.same(place)
        for place in moved
        for face in faces_on_photos.get(place.sha256, ())
        if (face.engine, face.gallery) == (chosen.name, chosen.gallery)
    )
    if is_needed:
        run_after_scan_steps(resources, None, Summary(), ASSIGNMENT_ONLY)


def _record_charges(context: AfterScanContext, summary: Summary) -> None:
    charges = [*context.unrecorded_charges, *context.engine.take_unreported_charges()]
    context.unrecorded_charges.clear()
    context.resources.charge("scan", charges, context.scan_id)
    summary.add_charges(charges)
