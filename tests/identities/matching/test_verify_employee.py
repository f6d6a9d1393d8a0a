"""Employee verification, and its tamper-evident log."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from dataclasses import replace

import pytest
from sqlalchemy import delete, select, update

from catalog.domain.charges import Operation
from catalog.domain.errors import UsageError
from catalog.domain.faces import BooleanAttribute, BoundingBox, Face, FaceAttributes, Pose, Quality
from catalog.domain.stranger_rates import WorstGroupRates
from catalog.identities.decisions import verbs
from catalog.identities.matching.enroll_employee import enroll_employee, remove_employee
from catalog.identities.matching.error_rates import evaluate
from catalog.identities.matching.photo_flaws import find_flaws
from catalog.identities.matching.verification_log import START, check_chain, read_audit, record
from catalog.identities.matching.verify_employee import (
    Verification,
    VerificationVerdict,
    false_match_rate,
    verify_employee,
)
from catalog.store.catalogued_faces import faces_of_person
from catalog.store.database import Database
from catalog.store.tables import employee_references, verifications
from tests.fakes import Drawn, FakeEngine, drawing_bytes, shade
from tests.identities.assigned_catalogue import as_engine
from tests.identities.decided_catalogue import STAMP, catalogue, unmerged_persons
from tests.identities.drawn_photos import open_drawing
from tests.identities.made_library import NOW, RULES

GOOD = Face(
    BoundingBox(0.3, 0.3, 0.3, 0.4), 99.0, pose=Pose(0, 5, 5), quality=Quality(60, 60), attributes=FaceAttributes()
)
PHOTO = replace(open_drawing(drawing_bytes([Drawn("ann")])), width=1000, height=1000)


def face_with(**changed: object) -> Face:
    return replace(GOOD, attributes=replace(FaceAttributes(), **changed))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("faces", "reason"),
    [
        ([], "no faces"),
        ([GOOD, GOOD], "2 faces"),
        ([replace(GOOD, pose=Pose(0, 50, 0))], "turned to the side by 50"),
        ([replace(GOOD, pose=Pose(0, 0, -35))], "tilted"),
        ([replace(GOOD, box=BoundingBox(0.3, 0.3, 0.04, 0.04))], "smaller than 50"),
        ([replace(GOOD, box=BoundingBox(-0.1, 0.3, 0.3, 0.3))], "cut by the border"),
        ([replace(GOOD, quality=Quality(10, 60))], "dark"),
        ([replace(GOOD, quality=Quality(99, 60))], "washed out"),
        ([replace(GOOD, quality=Quality(60, 2))], "blurred"),
        ([face_with(eyes_open=BooleanAttribute(False, 95))], "closed"),
        ([face_with(sunglasses=BooleanAttribute(True, 95))], "Sunglasses"),
        ([face_with(face_occluded=BooleanAttribute(True, 95))], "covered"),
    ],
)
def test_a_photo_that_is_not_good_enough_is_refused_with_its_reason(faces: list[Face], reason: str) -> None:
    """Each rule has a sentence of its own."""
    (flaw,) = find_flaws(PHOTO, faces)
    assert reason in flaw


def test_a_good_photo_has_no_flaw() -> None:
    """An uncertain attribute refuses no photo."""
    assert find_flaws(PHOTO, [GOOD]) == []
    assert (
        find_flaws(PHOTO, [face_with(sunglasses=BooleanAttribute(True, 55), eyes_open=BooleanAttribute(True, 99))])
        == []
    )


def face_of(person: str | tuple[int, int, int]) -> bytes:
    return drawing_bytes([Drawn(person, left=60, top=40, size=110)])


def enroll(
    database: Database, *photos: bytes, engine: FakeEngine | None = None, employee: str = "ann"
) -> list[list[str]]:
    """The flaws of each photo."""
    opened = [open_drawing(row) for row in photos]
    return enroll_employee(database, engine or FakeEngine(), employee, opened, STAMP, open_photo=open_drawing)


@pytest.fixture
def enrolled(light_database: Database) -> Database:
    assert enroll(light_database, face_of("ann")) == [[]]
    return light_database


def verify(database: Database, data: bytes, employee_id: str = "ann") -> Verification:
    return verify_employee(database, FakeEngine(), open_drawing, employee_id, open_drawing(data), STAMP)


@pytest.mark.parametrize(
    ("data", "verdict"),
    [
        (face_of("ann"), VerificationVerdict.ACCEPTED),
        (face_of("bob"), VerificationVerdict.REFUSED),
        (face_of(shade("ann", 90)), VerificationVerdict.CANNOT_TELL),
        (drawing_bytes(), VerificationVerdict.CANNOT_TELL),
        (drawing_bytes([Drawn("ann", left=20), Drawn("bob", left=150)]), VerificationVerdict.CANNOT_TELL),
    ],
)
def test_each_verdict_is_one_of_three(enrolled: Database, data: bytes, verdict: VerificationVerdict) -> None:
    """The same person, another person, a lookalike, no face, two faces."""
    answer = verify(enrolled, data)
    assert answer.verdict is verdict
    assert answer.false_match_rate == pytest.approx(1e-5)


def test_an_unknown_id_is_an_error(enrolled: Database) -> None:
    with pytest.raises(UsageError, match="No employee is enrolled"):
        verify(enrolled, face_of("ann"), "zoe")


def test_a_reference_without_a_face_is_not_enrolled(light_database: Database) -> None:
    ((flaw,),) = enroll(light_database, drawing_bytes())
    assert "no faces" in flaw
    with pytest.raises(UsageError):
        verify(light_database, face_of("ann"))


def test_other_writers_do_not_wait_for_the_engine(light_database: Database) -> None:
    looked_at = []

    def write(_operation: Operation, subject: str) -> None:
        with closing(sqlite3.connect(str(light_database.path), timeout=0, isolation_level=None)) as second:
            second.execute("BEGIN IMMEDIATE")
        looked_at.append(subject)

    photos = [face_of(person) for person in ("ann", shade("ann", 95))]
    assert enroll(light_database, *photos, engine=FakeEngine(before=write)) == [[], []]
    assert len(looked_at) == 3  # twice for what they show, once for whether they show the same


@pytest.mark.parametrize("at_once", [True, False])
def test_a_photo_of_another_person_is_not_enrolled_under_an_id(light_database: Database, at_once: bool) -> None:
    """In one call or in two. The other person is not verified either."""
    if at_once:
        good, *flaws = enroll(light_database, face_of("ann"), face_of("bob"))
    else:
        (good,) = enroll(light_database, face_of("ann"))
        flaws = enroll(light_database, face_of("bob"))
    ((flaw,),) = flaws
    assert good == []
    assert "not similar to the one enrolled first" in flaw
    assert verify(light_database, face_of("bob")).verdict is VerificationVerdict.REFUSED


def test_the_stated_rate_follows_the_scale() -> None:
    """80 is one stranger in 1,000, 99 one in 100,000."""
    assert false_match_rate(80.0) == pytest.approx(1e-3)
    assert false_match_rate(99.0) == pytest.approx(1e-5)
    assert false_match_rate(99.9) < false_match_rate(99.0) < false_match_rate(90.0)


def test_the_log_shows_every_change(enrolled: Database) -> None:
    """An edited entry, a deleted row, and rows deleted at the end, detected by a noted digest."""
    for person in ("ann", "bob", "ann"):
        verify(enrolled, face_of(person))
    with enrolled.begin() as connection:
        whole = check_chain(connection)
        assert (whole.rows, whole.broken) == (4, None)
        assert whole.head != START
        row = connection.execute(select(verifications).where(verifications.c.id == 3)).one()
        edited = json.dumps({**json.loads(row.content), "verdict": "accepted"})
        connection.execute(update(verifications).where(verifications.c.id == 3).values(content=edited))
        assert check_chain(connection).broken == 3
        connection.execute(update(verifications).where(verifications.c.id == 3).values(content=row.content))
        assert check_chain(connection).broken is None
        connection.execute(delete(verifications).where(verifications.c.id == 4))
        assert check_chain(connection).broken is None
        assert check_chain(connection, expected_head=whole.head).broken == 4
        connection.execute(delete(verifications).where(verifications.c.id == 2))
        assert check_chain(connection).broken == 3


def test_a_forgotten_employee_leaves_digests_only(enrolled: Database) -> None:
    """The chain still holds."""
    verify(enrolled, face_of("ann"))
    with enrolled.begin() as connection:
        assert remove_employee(connection, "ann", STAMP) == 2
        assert connection.scalars(select(employee_references.c.id)).all() == []
        assert [row.content is None for row in read_audit(connection)] == [True, True, False]
        assert check_chain(connection).broken is None
        assert "ann" not in str(connection.execute(select(verifications)).all())
        record(connection, {"what": "verify"}, NOW)
        assert check_chain(connection).broken is None


def test_error_rates_come_from_confirmed_faces(light_database: Database) -> None:
    """No threshold is recommended for rates that need more pairs."""
    gallery = catalogue(light_database, count=12, photos=4)
    with pytest.raises(UsageError, match="too few confirmed"):
        evaluate(light_database, as_engine(gallery), RULES.seed_faces, gallery="catalog", named=False)
    with light_database.begin() as connection:
        for person in unmerged_persons(connection):
            for face in faces_of_person(connection, person):
                verbs.confirm_face(connection, face, person, STAMP)
    result = evaluate(light_database, as_engine(gallery), RULES.seed_faces, gallery="catalog", named=False)
    assert (result.faces, result.people, result.genuine, result.impostor) == (48, 12, 72, 1056)
    rates = {rate.threshold: rate for rate in result.rates}
    assert rates[99.0].false_match == 0
    assert rates[50.0].false_non_match == 0
    assert [row.threshold is None for row in result.recommended] == [False, True, True, True]


def test_the_worst_group_is_stated_beside_the_rate_of_all(enrolled: Database) -> None:
    """An engine that was measured by group states its worst group, another one states none."""
    engine = FakeEngine()
    worst = WorstGroupRates("a group", ((80.0, 0.01), (99.0, 0.001)), "made for this test")
    measured = replace(engine.capabilities, worst_group=worst)
    engine.capabilities = measured
    answer = verify_employee(enrolled, engine, open_drawing, "ann", open_drawing(face_of("ann")), STAMP)
    assert (answer.worst_group, answer.worst_group_rate) == ("a group", pytest.approx(0.001))
    unmeasured = verify(enrolled, face_of("ann"))
    assert (unmeasured.worst_group, unmeasured.worst_group_rate) == (None, None)
