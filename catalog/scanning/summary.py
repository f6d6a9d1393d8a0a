"""Counts of a scan's outcomes. Their sum equals the number of photos discovered."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from catalog.domain.charges import Charge
from catalog.domain.errors import LimitReached, SourceError
from catalog.domain.file_names import ending_label
from catalog.domain.photos import PHOTO_OUTCOMES, Outcome, OutcomeKind
from catalog.domain.uri import entry_name


class ScanCounts:
    """Counts that a running scan and its final summary share."""

    __slots__ = ()
    outcomes: Mapping[OutcomeKind, int]
    faces: int
    rejected: int
    persons_new: int
    persons_deleted: int
    churn: int
    conflicts: int

    @property
    def failed(self) -> int:
        """Photos that could not be read, decoded or enrolled."""
        return self.outcomes[OutcomeKind.FAILED]

    def counts(self) -> dict[str, int]:
        """Every count under the name of its column in the table ``scans``."""
        return {
            "discovered": sum(self.outcomes.values()),
            **{kind.value: number for kind, number in self.outcomes.items()},
            "faces": self.faces,
            "rejected": self.rejected,
            "persons_new": self.persons_new,
            "persons_deleted": self.persons_deleted,
            "churn": self.churn,
            "conflicts": self.conflicts,
        }


@dataclass(slots=True)
class Summary(ScanCounts):
    """Counts of one scan.

    ``churn`` is the number of faces that a machine separated from faces of their person, ``conflicts`` the number of
    persons with two faces on one photo. ``persons_deleted`` is always 0.
    """

    outcomes: dict[OutcomeKind, int] = field(default_factory=lambda: dict.fromkeys(PHOTO_OUTCOMES, 0))
    left_out: Counter[str] = field(default_factory=Counter)
    """Files and folders that were left out, by rule. A folder counts once."""
    other_files: Counter[str] = field(default_factory=Counter)
    """Files that are not photos, by ending."""
    untouched: int = 0
    """Unchanged photos of which nothing was read."""
    faces: int = 0
    rejected: int = 0
    persons_new: int = 0
    persons_deleted: int = 0
    churn: int = 0
    conflicts: int = 0
    missing: int = 0
    """Photos that were at a location of the sources before this scan and are at none now."""
    limit: LimitReached | None = None
    """The limit that ended the scan early."""
    suspect_folders: SourceError | None = None
    """Folders that look like a disk that is not mounted. Their photos were not marked as missing."""
    calls: int = 0
    """Calls that were charged."""
    dollars: Decimal = Decimal(0)

    @property
    def discovered(self) -> int:
        return sum(self.outcomes.values())

    def count(self, outcome: Outcome) -> None:
        if outcome.kind is OutcomeKind.LEFT_OUT:
            self.left_out[outcome.reason or ""] += 1
            return
        if outcome.kind is OutcomeKind.NOT_A_PHOTO:
            self.other_files[ending_label(entry_name(outcome.uri))] += 1
            return
        self.outcomes[outcome.kind] += 1
        self.faces += outcome.faces
        self.rejected += outcome.rejected
        self.add_charges(outcome.charges)

    def count_untouched(self, number: int) -> None:
        """Count photos that the plan found unchanged, so that nothing of them was read."""
        self.outcomes[OutcomeKind.UNCHANGED] += number
        self.untouched += number

    def reclassify_moved(self, number: int) -> None:
        """Count ``number`` photos as moved that were counted as duplicates."""
        self.outcomes[OutcomeKind.DUPLICATE] -= number
        self.outcomes[OutcomeKind.MOVED] += number

    def add_charges(self, charges: Iterable[Charge]) -> None:
        for charge in charges:
            self.calls += charge.calls
            self.dollars += charge.dollars
