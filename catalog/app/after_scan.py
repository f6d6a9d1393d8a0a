"""Working out who is who after a command, with what follows from it: users, the watch list, the ledger of charges."""

from __future__ import annotations

from datetime import UTC, datetime

from catalog.app.engines import search_engine
from catalog.app.resources import Resources
from catalog.domain.charges import Charge
from catalog.identities.assignment.assign_people import assign_people
from catalog.identities.assignment.sync_user_vectors import sync_user_vectors
from catalog.identities.decisions.log import read_decision
from catalog.identities.matching.watch_list import check_watches
from catalog.scanning.summary import Summary
from catalog.store.catalogued_faces import faces_by_content


def run_after_scan_steps(catalog: Resources, scan_id: int | None, summary: Summary) -> None:
    """Work out who is who, and, after a scan, look for those on the watch list."""
    engine = search_engine(catalog.engine)
    try:
        settlement = assign_people(
            catalog.database,
            engine,
            catalog.rules,
            gallery=catalog.settings.engine.gallery,
            region=catalog.region,
            scan_id=scan_id,
            now=datetime.now(UTC),
        )
    finally:
        unreported = engine.take_unreported_charges()
        catalog.charge("scan", unreported, scan_id)
        summary.add_charges(unreported)
    summary.persons_new = settlement.persons_new
    summary.persons_deleted = settlement.persons_deleted
    summary.churn = settlement.churn
    summary.conflicts = settlement.conflicts
    summary.add_charges(settlement.charges)
    if scan_id is not None:
        _teach(catalog, scan_id, summary)
        hits, charges = check_watches(
            catalog.database,
            catalog.engine,
            catalog.open_photo,
            gallery=catalog.settings.engine.gallery,
            region=catalog.region,
            scan_id=scan_id,
            now=datetime.now(UTC),
        )
        summary.add_charges(charges)
        catalog.new_hits += hits


def assign_released_faces(catalog: Resources, number: int) -> None:
    """Let faces that a decision left without a person find another at once, where that costs nothing."""
    chosen = catalog.settings.engine
    if catalog.configured_engine.capabilities.is_paid:
        return
    with catalog.database.read() as connection:
        decision = read_decision(connection, number)
        moved = decision.moved() if decision is not None else []
        found = faces_by_content(connection, {place.sha256 for place in moved})
    loose = any(
        face.person_id is None and not face.not_a_face and face.place.same(place)
        for place in moved
        for face in found.get(place.sha256, ())
        if (face.engine, face.gallery) == (chosen.name, chosen.gallery)
    )
    if loose:
        run_after_scan_steps(catalog, None, Summary())


def _teach(catalog: Resources, scan_id: int, summary: Summary) -> None:
    """Make users of the persons that humans confirmed, where the engine has users and the settings want them."""
    users = catalog.engine.user_vectors
    if users is None:
        return
    charges: list[Charge] = []
    try:
        sync_user_vectors(
            catalog.database,
            users,
            engine=catalog.engine.name,
            gallery=catalog.settings.engine.gallery,
            min_faces=users.rules.min_faces,
            max_faces=users.rules.max_faces,
            on_charge=charges.append,
        )
    finally:
        catalog.charge("scan", charges, scan_id)
        summary.add_charges(charges)
