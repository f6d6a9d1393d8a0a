"""Employee verification: does a photo show the person enrolled under an id? Accepted, refused, or cannot tell.

It is independent of the photo gallery: references are crops of their own, compared one to one. Every attempt is
recorded in the verification log.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection

from catalog.domain.charges import Charge
from catalog.domain.content_hash import sha256_of
from catalog.domain.employee_ids import check_employee_id
from catalog.domain.engine import Engine
from catalog.domain.errors import UsageError
from catalog.domain.log_odds import similarity_odds
from catalog.domain.opened_photo import OpenedPhoto
from catalog.domain.recommended_thresholds import ACCEPT, REFUSE
from catalog.domain.uri import display_name
from catalog.identities.decisions.log import DecisionStamp
from catalog.identities.matching import verification_log
from catalog.identities.matching.photo_flaws import find_flaws
from catalog.store.charge_scope import charge_scope
from catalog.store.database import Database
from catalog.store.scans import record_charges
from catalog.store.verification_rows import read_references

_MIN_RATE = 1e-6
"""No lower rate is stated, because too few stranger pairs were compared to know it."""


class VerificationVerdict(StrEnum):
    ACCEPTED = "accepted"
    REFUSED = "refused"
    CANNOT_TELL = "cannot tell"


@dataclass(frozen=True, slots=True)
class Verification:
    """The result for one photo. ``similarity`` is to the best reference, None if no face could be compared.

    ``false_match_rate`` is the share of strangers that reach ``threshold`` on the engine's scale, over all people. It
    differs by group of people, so the worst measured group is stated beside it. ``reasons`` are sentences that say why
    the photo cannot be judged. ``entry`` is the number in the verification log.
    """

    employee_id: str
    verdict: VerificationVerdict
    similarity: float | None
    threshold: float
    false_match_rate: float
    reasons: tuple[str, ...]
    entry: int
    worst_group: str | None = None
    """The groups of people whose strangers reach ``threshold`` most often; None if the engine was not measured."""
    worst_group_rate: float | None = None
    """The share of strangers inside the worst of these groups that reach ``threshold``, 0 to 1."""

    @property
    def is_accepted(self) -> bool:
        return self.verdict is VerificationVerdict.ACCEPTED


def verify_employee(
    database: Database,
    engine: Engine,
    open_photo: Callable[[bytes], OpenedPhoto],
    employee_id: str,
    photo: OpenedPhoto,
    stamp: DecisionStamp,
    *,
    accept: float = ACCEPT,
    refuse: float = REFUSE,
    region: str = "",
) -> Verification:
    """Compare the largest face of a photo with an employee's references.

    Accepted at ``accept`` and above, refused below ``refuse``. Between the two, or if the photo does not show one
    usable face, the verdict is "cannot tell". Raises ``UsageError`` for an id that is unknown, or no id at all.
    """
    check_employee_id(employee_id)
    attempt: dict[str, Any] = {
        "what": "verify",
        "employee_id": employee_id,
        "by": stamp.who,
        "photo_sha256": sha256_of(photo.data),
        "accept": accept,
        "refuse": refuse,
        "engine": engine.name,
        "model": engine.model,
    }
    with (
        verification_log.logged_failure(database, attempt, stamp.now),
        charge_scope(database, engine=engine.name, region=region, command="verify", now=stamp.now) as charges,
    ):
        with database.read() as connection:
            references = read_references(connection, employee_id)
        if not references:
            raise UsageError(
                f'No employee is enrolled under the id "{display_name(employee_id)}".',
                remedy="Enroll first: catalog enroll ID PHOTO...",
            )
        analysis = engine.analyze(photo)
        charges += analysis.charges
        reasons = tuple(find_flaws(photo, analysis.faces))
        similarity: float | None = None
        if analysis.faces:
            for image in references:
                comparison = engine.compare(open_photo(image), photo, 0.0)
                charges += comparison.charges
                largest = max(comparison.matches, key=lambda match: match.face.box.area, default=None)
                if largest is not None:
                    similarity = max(largest.similarity, similarity or 0.0)
        verdict = _verdict(similarity, reasons, accept, refuse)
        content = {**attempt, "verdict": verdict.value, "similarity": similarity, "reasons": list(reasons)}
        with database.begin() as connection:
            _charge(connection, engine, charges, region, stamp)
            entry = verification_log.record(connection, content, stamp.now)
    worst = engine.capabilities.worst_group
    return Verification(
        employee_id,
        verdict,
        similarity,
        accept,
        false_match_rate(accept),
        reasons,
        entry.number,
        worst_group=None if worst is None else worst.group,
        worst_group_rate=None if worst is None else worst.share(accept),
    )


def _verdict(similarity: float | None, reasons: Sequence[str], accept: float, refuse: float) -> VerificationVerdict:
    if similarity is None or reasons:
        return VerificationVerdict.CANNOT_TELL
    if similarity >= accept:
        return VerificationVerdict.ACCEPTED
    return VerificationVerdict.REFUSED if similarity < refuse else VerificationVerdict.CANNOT_TELL


def false_match_rate(threshold: float) -> float:
    """Share of stranger pairs that reach a similarity: 1 in 1,000 at 80, 1 in 100,000 at 99, log-odds between.

    Both engines' scales are defined so; see :mod:`catalog.domain.engine`. `catalog evaluate` measures the share on the
    user's labels.
    """
    steps = (similarity_odds(threshold) - similarity_odds(80.0)) / (similarity_odds(99.0) - similarity_odds(80.0))
    return min(1.0, max(_MIN_RATE, float(10.0 ** (-3.0 - 2.0 * steps))))


def _charge(
    connection: Connection, engine: Engine, charges: Sequence[Charge], region: str, stamp: DecisionStamp
) -> None:
    record_charges(
        connection, charges, engine=engine.name, region=region, command="verify", scan_id=None, now=stamp.now
    )
