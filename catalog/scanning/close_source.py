"""Stage 5 of a scan: after a complete listing, mark locations that it did not show as missing or as left out."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from catalog.domain.errors import SourceError
from catalog.domain.photos import Outcome, OutcomeKind
from catalog.domain.uri import display
from catalog.scanning.missing_detection import MissingDetection, missing_folder_error
from catalog.scanning.seen_locations import CompletedListing
from catalog.store.database import Database
from catalog.store.left_out import leave_out
from catalog.store.photos import count_locations_below, locations_below, mark_missing
from catalog.store.scans import complete_source, record_problem

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ClosedSource:
    """``missing`` are row ids of locations that were marked as missing; ``suspects`` is an error that names folders."""

    missing: Sequence[int]
    suspects: SourceError | None


def close_source(database: Database, scan_id: int, listing: CompletedListing, *, believe_empty: bool) -> ClosedSource:
    """Mark missing locations and record that the source was listed to its end.

    Locations in suspect folders are not marked. Raises SourceError if the source is empty and held photos before,
    unless ``believe_empty``.
    """
    source, seen_locations = listing.source, listing.seen
    detection = MissingDetection(source.uri)
    left_out: dict[str, list[int]] = {}
    with database.read() as connection:
        present = count_locations_below(connection, source.uri)
        if not (seen_locations.is_countable and len(seen_locations) == present):
            for location in locations_below(connection, source.uri):
                if location in seen_locations or location.location_id > listing.newest:
                    continue
                rule = seen_locations.left_out_by(location.uri)
                if rule is None:
                    detection.add(location)
                else:
                    left_out.setdefault(rule, []).append(location.location_id)
        present -= sum(map(len, left_out.values()))
        if present and not listing.photos and not believe_empty:
            raise SourceError(
                f'The source "{display(source.uri)}" is empty, where {present:,} photos were.',
                remedy="Check whether its disk is mounted. If the photos are really gone, scan again with --force.",
            )
        suspects = [] if believe_empty else detection.suspects(connection, present)
    missing = detection.missing(suspects)
    now = datetime.now(UTC)
    with database.begin() as connection:
        mark_missing(connection, missing, now)
        for rule, location_ids in left_out.items():
            leave_out(connection, location_ids, rule, now)
        for suspect in suspects:
            reason = str(missing_folder_error(source.uri, [suspect]))
            record_problem(connection, scan_id, Outcome(suspect.folder, OutcomeKind.SKIPPED, reason=reason), now)
        complete_source(connection, scan_id, source.uri, listing.photos, now)
    log.info("source completed", extra={"source": source.uri, "discovered": listing.photos, "missing": len(missing)})
    return ClosedSource(missing, missing_folder_error(source.uri, suspects) if suspects else None)
