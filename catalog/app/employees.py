"""Verification of employees: compare a photo with the person enrolled under an id."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from catalog.app.photo_input import PhotoInput
from catalog.app.resources import Resources
from catalog.domain.errors import UsageError
from catalog.domain.recommended_thresholds import ACCEPT, REFUSE
from catalog.identities.matching import verify_employee as verifying
from catalog.identities.matching.error_rates import Evaluation, evaluate
from catalog.identities.matching.verification_log import AuditRow, check_chain, read_audit
from catalog.identities.matching.verify_employee import Verification


@dataclass(frozen=True, slots=True)
class VerificationAudit:
    """The verification log. ``broken`` is the number of the first changed entry, None if the chain is whole.

    ``head`` is the digest of the last entry.
    """

    rows: tuple[AuditRow, ...]
    head: str
    broken: int | None


class Employees:
    """Persons enrolled for verification under an id of the user's own."""

    def __init__(self, resources: Callable[[], Resources]) -> None:
        self._resources = resources

    def enroll(self, employee: str, photos: Sequence[PhotoInput]) -> tuple[tuple[str, ...], ...]:
        """Enroll reference photos. Returns the flaws of each photo; one without flaws was enrolled."""
        if not photos:
            raise UsageError("There is no photo to enroll.")
        resources = self._resources()
        flaws = verifying.enroll_employee(
            resources.database,
            resources.engine,
            employee,
            [resources.open_file(photo) for photo in photos],
            resources.stamp(),
            open_photo=resources.open_photo,
            region=resources.region,
        )
        return tuple(map(tuple, flaws))

    def remove(self, employee: str) -> int:
        """Remove an employee. Returns how many entries of the verification log lost their content."""
        resources = self._resources()
        with resources.database.begin() as connection:
            return verifying.remove_employee(connection, employee, resources.stamp())

    def verify(
        self, employee: str, photo: PhotoInput, *, accept: float = ACCEPT, refuse: float = REFUSE
    ) -> Verification:
        """Compare a photo with the references of an employee; the answer is logged.

        ``accept`` is the similarity from which a photo is accepted, ``refuse`` the one below which it is refused.
        Raises UsageError for an unknown id or a photo without a face.
        """
        if refuse > accept:
            raise UsageError("The threshold to refuse is above the threshold to accept.")
        resources = self._resources()
        return verifying.verify_employee(
            resources.database,
            resources.engine,
            resources.open_photo,
            employee,
            resources.open_file(photo),
            resources.stamp(),
            accept=accept,
            refuse=refuse,
            region=resources.region,
        )

    def audit(self, expected_head: str | None = None) -> VerificationAudit:
        """Read the verification log and check its chain. ``expected_head``: a digest that must be part of it."""
        with self._resources().reading() as database, database.read() as connection:
            rows = tuple(read_audit(connection))
            checked = check_chain(connection, expected_head=expected_head)
        return VerificationAudit(rows, checked.head, checked.broken)

    def error_rates(self, *, named: bool = False) -> Evaluation:
        """Measure false matches and false non-matches on the user's own faces, and recommend thresholds.

        Only confirmed faces are used; with ``named`` all faces of named persons.
        """
        resources = self._resources()
        return evaluate(
            resources.database, resources.engine, resources.rules.seed_faces, gallery=resources.gallery, named=named
        )
