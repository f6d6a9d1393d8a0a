"""The counts of a scan that has ended."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from types import MappingProxyType
from typing import TYPE_CHECKING

from catalog.domain.errors import CatalogError
from catalog.domain.photos import OutcomeKind
from catalog.engines.prefilter import PrefilterCounts
from catalog.scanning.summary import ScanCounts, Summary

if TYPE_CHECKING:
    from catalog.identities.matching.watch_hits import WatchHit


@dataclass(frozen=True, slots=True)
class ScanSummary(ScanCounts):
    """Counts of a scan's outcomes; their sum is ``discovered``.

    ``left_out`` counts files and folders by the rule that left them out, ``other_files`` files that are not photos by
    their ending. Neither is part of ``discovered``.

    ``churn`` counts faces that a machine separated from others of their person, ``conflicts`` persons with two faces
    on one photo. ``missing`` counts photos that disappeared since the last scan. ``calls`` and ``dollars`` are the
    paid calls. ``hits`` are the new hits of the watch list.
    ``stopped_by`` is the limit that ended the scan early, or the SourceError about a suspiciously empty folder.
    """

    outcomes: Mapping[OutcomeKind, int]
    discovered: int
    left_out: Mapping[str, int]
    other_files: Mapping[str, int]
    faces: int
    rejected: int
    persons_new: int
    persons_deleted: int
    churn: int
    conflicts: int
    missing: int
    calls: int
    dollars: Decimal
    hits: tuple[WatchHit, ...]
    prefilter: PrefilterCounts | None
    price_note: str
    """A sentence about prices that are a guess; empty if they are known."""
    stopped_by: CatalogError | None


def frozen_summary(
    summary: Summary, hits: tuple[WatchHit, ...], prefilter: PrefilterCounts | None, note: str
) -> ScanSummary:
    return ScanSummary(
        outcomes=MappingProxyType(dict(summary.outcomes)),
        discovered=summary.discovered,
        left_out=MappingProxyType(dict(summary.left_out)),
        other_files=MappingProxyType(dict(summary.other_files)),
        faces=summary.faces,
        rejected=summary.rejected,
        persons_new=summary.persons_new,
        persons_deleted=summary.persons_deleted,
        churn=summary.churn,
        conflicts=summary.conflicts,
        missing=summary.missing,
        calls=summary.calls,
        dollars=summary.dollars,
        hits=hits,
        prefilter=prefilter,
        price_note=note,
        stopped_by=summary.limit or summary.suspect_folders,
    )
