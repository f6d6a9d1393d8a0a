"""What a scan came to: the counts of its outcomes, which always add up to what was discovered."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal

from catalog.domain.charges import Charge
from catalog.domain.errors import LimitReached, SourceError
from catalog.domain.photos import Outcome, OutcomeKind


@dataclass(slots=True)
class Summary:
    """The closing account of one scan. ``persons_deleted`` must be 0; ``churn`` counts faces that changed company."""

    outcomes: dict[OutcomeKind, int] = field(default_factory=lambda: dict.fromkeys(OutcomeKind, 0))
    faces: int = 0
    rejected: int = 0
    persons_new: int = 0
    persons_deleted: int = 0
    churn: int = 0
    conflicts: int = 0
    limit: LimitReached | None = None
    """What ended the scan before its photos did: its time, calls or money were used up."""
    doubt: SourceError | None = None
    """What looks like a disk that is not mounted: its photos were not marked as missing."""
    calls: int = 0
    """Paid calls that were answered."""
    dollars: Decimal = Decimal(0)

    @property
    def discovered(self) -> int:
        return sum(self.outcomes.values())

    @property
    def failed(self) -> int:
        return self.outcomes[OutcomeKind.FAILED]

    def count(self, outcome: Outcome) -> None:
        self.outcomes[outcome.kind] += 1
        self.faces += outcome.faces
        self.rejected += outcome.rejected
        self.pay(outcome.charges)

    def moved_instead(self, number: int) -> None:
        """So many duplicates turned out to have moved."""
        self.outcomes[OutcomeKind.DUPLICATE] -= number
        self.outcomes[OutcomeKind.MOVED] += number

    def pay(self, charges: Iterable[Charge]) -> None:
        for charge in charges:
            self.calls += charge.calls
            self.dollars += charge.dollars

    def counts(self) -> dict[str, int]:
        """Every count under the name of its column in ``scans``."""
        return {
            "discovered": self.discovered,
            **{kind.value: number for kind, number in self.outcomes.items()},
            "faces": self.faces,
            "rejected": self.rejected,
            "persons_new": self.persons_new,
            "persons_deleted": self.persons_deleted,
            "churn": self.churn,
            "conflicts": self.conflicts,
        }
