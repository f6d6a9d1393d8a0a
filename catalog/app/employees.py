"""Verification of employees: compare a photo with the person enrolled under an id."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from catalog.app.photo_input import PhotoInput, name_of_photo
from catalog.app.resources import Resources
from catalog.domain.content_hash import sha256_of
from catalog.domain.employee_ids import check_employee_id
from catalog.domain.errors import UsageError
from catalog.domain.opened_photo import OpenedPhoto
from catalog.domain.recommended_thresholds import ACCEPT, REFUSE
from catalog.identities.matching.enroll_employee import enroll_employee, remove_employee
from catalog.identities.matching.error_rates import Evaluation, evaluate
from catalog.identities.matching.verification_log import AuditRow, check_chain, logged_failure, read_audit
from catalog.identities.matching.verify_employee import Verification, verify_employee
from catalog.store import verification_rows
from catalog.store.faces import count_expressions, delete_expressions
from catalog.store.verification_rows import EmployeeRow, has_employees, read_employees


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

    def enroll(
        self,
        employee: str,
        photos: Sequence[PhotoInput],
        *,
        allow_same_face: bool = False,
        allow_open_mouth: bool = False,
    ) -> tuple[tuple[str, ...], ...]:
        """Enroll reference photos. Returns the flaws of each photo; one without flaws was enrolled.

        A photo of a face that is enrolled under another id is refused, unless ``allow_same_face`` is set, for example
        for twins. A photo with an open mouth, or a smile that shows teeth, is refused unless ``allow_open_mouth`` is
        set. A paid engine charges one comparison for 25 references of other employees. Each attempt is logged.
        Raises UsageError for a photo that cannot be read; then none is enrolled.
        """
        if not photos:
            raise UsageError("There is no photo to enroll.")
        check_employee_id(employee)
        resources = self._resources()
        flaws = enroll_employee(
            resources.database,
            resources.engine,
            employee,
            [self._open("enroll", employee, photo) for photo in photos],
            resources.stamp(),
            open_photo=resources.open_photo,
            region=resources.region,
            allow_same_face=allow_same_face,
            allow_open_mouth=allow_open_mouth,
            subjects=[name_of_photo(photo) for photo in photos],
        )
        return tuple(map(tuple, flaws))

    def list(self) -> tuple[EmployeeRow, ...]:
        """The enrolled employees in order of their ids."""
        with self._resources().reading() as database, database.read() as connection:
            return tuple(read_employees(connection))

    def references(self, employee: str) -> tuple[int, ...]:
        """Numbers of an employee's references, for :meth:`reference_image`; empty for an unknown id."""
        with self._resources().reading() as database, database.read() as connection:
            return tuple(verification_rows.reference_numbers(connection, employee))

    def reference_image(self, number: int) -> bytes:
        """The stored crop of a reference as JPEG. Raises UsageError for an unknown number."""
        with self._resources().reading() as database, database.read() as connection:
            image = verification_rows.reference_image(connection, number)
        if image is None:
            raise UsageError(f"There is no reference {number}.")
        return image

    def remove(self, employee: str) -> int:
        """Remove an employee. Returns how many entries of the verification log lost their content."""
        resources = self._resources()
        with resources.database.begin() as connection:
            return remove_employee(connection, employee, resources.stamp())

    def stored_expressions(self) -> int:
        """Number of faces whose expression is stored although the settings leave expressions of employees out.

        0 without an enrolled employee and with ``employees.store_expressions``.
        """
        resources = self._resources()
        with resources.reading() as database, database.read() as connection:
            if resources.settings.employees.store_expressions or not has_employees(connection):
                return 0
            return count_expressions(connection)

    def delete_expressions(self) -> int:
        """Delete the stored expressions of all faces; returns the number of faces. It cannot be undone."""
        database = self._resources().database
        with database.begin() as connection:
            deleted = delete_expressions(connection)
        database.empty_log()
        return deleted

    def verify(
        self, employee: str, photo: PhotoInput, *, accept: float = ACCEPT, refuse: float = REFUSE
    ) -> Verification:
        """Compare a photo with the references of an employee; the answer is logged.

        ``accept`` is the similarity from which a photo is accepted, ``refuse`` the one below which it is refused.
        Raises UsageError for an unknown id and for a photo that cannot be read; these attempts are logged, too.
        """
        if refuse > accept:
            raise UsageError("The threshold to refuse is above the threshold to accept.")
        check_employee_id(employee)
        resources = self._resources()
        return verify_employee(
            resources.database,
            resources.engine,
            resources.open_photo,
            employee,
            self._open("verify", employee, photo),
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

    def _open(self, attempt: str, employee: str, photo: PhotoInput) -> OpenedPhoto:
        """Open the photo of an attempt. If it cannot be read, the attempt is logged with the hash of its bytes."""
        resources = self._resources()
        try:
            return resources.open_file(photo)
        except UsageError:
            stamp = resources.stamp()
            content = {
                "what": attempt,
                "employee_id": employee,
                "by": stamp.who,
                "photo_sha256": _content_hash(photo),
                "engine": resources.settings.engine.name,
            }
            with logged_failure(resources.database, content, stamp.now):
                raise

    def error_rates(self, *, named: bool = False) -> Evaluation:
        """Measure false matches and false non-matches on the user's own faces, and recommend thresholds.

        Only confirmed faces are used; with ``named`` all faces of named persons.
        """
        resources = self._resources()
        return evaluate(
            resources.database, resources.engine, resources.rules.seed_faces, gallery=resources.gallery, named=named
        )


def _content_hash(photo: PhotoInput) -> str | None:
    """The SHA-256 of a photo's bytes; None if the file cannot be read."""
    if isinstance(photo, OpenedPhoto):
        return sha256_of(photo.data)
    try:
        return sha256_of(photo if isinstance(photo, bytes) else Path(photo).read_bytes())
    except OSError:
        return None
