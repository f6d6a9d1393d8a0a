"""Estimate of the work and the cost of a scan, from listings alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from catalog.app.resources import Resources
from catalog.domain.charges import Charge, Operation
from catalog.identities.assignment.neighbor_searches import plan_searches
from catalog.scanning.plan import Estimate, estimate
from catalog.scanning.plan import plan as compare_listing


@dataclass(frozen=True, slots=True)
class ScanPlan:
    """Counts of locations, and quotes of the paid calls.

    ``unseen`` photos were never read, ``altered`` ones look changed or are new to this gallery; both would be read.
    The quote of IndexFaces is an upper bound, the others are estimates.
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
    engine: str
    price_note: str
    """A sentence about prices that are a guess; empty if they are known."""


def plan(resources: Resources, addresses: Sequence[str], exclude: Sequence[str] = ()) -> ScanPlan:
    """No photo is read, nothing is written, no paid call is made. Of files of unknown ending the start is read."""
    chosen = resources.settings.engine
    total = Estimate()
    with resources.existing_database() as database:
        for source in resources.sources(addresses, exclude):
            total.add(estimate(compare_listing(database, source, engine=chosen.name, gallery=chosen.gallery)))
    return ScanPlan(
        discovered=total.discovered,
        unchanged=total.unchanged,
        unseen=total.unseen,
        altered=total.altered,
        skipped=total.skipped,
        left_out=MappingProxyType(dict(total.left_out)),
        other_files=MappingProxyType(dict(total.other_files)),
        charges=_charges(resources, total.to_read),
        engine=chosen.name,
        price_note=resources.configured_engine.price_note(),
    )


def _charges(resources: Resources, photos: int) -> tuple[Charge, ...]:
    """IndexFaces once for each photo that may be new; SearchFaces for about as many faces as such photos showed.

    If user vectors are searched first, each of these faces is searched there too. How many neighbor searches that
    saves is not known in advance.
    """
    settings = resources.settings
    if not resources.configured_engine.capabilities.is_paid:
        return ()
    with resources.existing_database() as database, database.read() as connection:
        searches = plan_searches(
            connection, engine=settings.engine.name, gallery=settings.engine.gallery, new_photos=photos
        )
    rules = resources.configured_engine.user_vector_rules
    users_first = rules is not None and rules.search_first
    return (
        resources.quote(Operation.INDEX_FACES, photos),
        *([resources.quote(Operation.SEARCH_USERS, searches.expected)] if users_first else []),
        resources.quote(Operation.SEARCH_FACES, searches.expected),
    )
