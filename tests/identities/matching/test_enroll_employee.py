"""Enrollment of employees: which photos are refused, and what the verification log says of each attempt."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from catalog.domain.charges import Operation
from catalog.domain.content_hash import sha256_of
from catalog.domain.errors import EngineError, UsageError
from catalog.domain.faces import Analysis, BooleanAttribute, FaceAttributes
from catalog.domain.opened_photo import OpenedPhoto
from catalog.identities.matching.enroll_employee import enroll_employee, remove_employee
from catalog.identities.matching.verification_log import check_chain, read_audit
from catalog.identities.matching.verify_employee import VerificationVerdict, verify_employee
from catalog.store.database import Database
from catalog.store.verification_rows import read_employees
from tests.fakes import Drawn, FakeEngine, drawing_bytes, shade
from tests.identities.decided_catalogue import STAMP
from tests.identities.drawn_photos import open_drawing


class DescribingEngine(FakeEngine):
    """Sees faces with stated attributes."""

    def __init__(self, **attributes: BooleanAttribute) -> None:
        super().__init__()
        self._attributes = replace(FaceAttributes(), **attributes)  # type: ignore[arg-type]

    def analyze(self, photo: OpenedPhoto) -> Analysis:
        faces = super().analyze(photo).faces
        return Analysis(tuple(replace(face, attributes=self._attributes) for face in faces))


def face_of(person: str | tuple[int, int, int]) -> bytes:
    return drawing_bytes([Drawn(person, left=60, top=40, size=110)])


def enroll(
    database: Database,
    employee: str,
    *photos: bytes,
    engine: FakeEngine | None = None,
    allow_same_face: bool = False,
) -> list[list[str]]:
    """The flaws of each photo."""
    opened = [open_drawing(photo) for photo in photos]
    return enroll_employee(
        database,
        engine or FakeEngine(),
        employee,
        opened,
        STAMP,
        open_photo=open_drawing,
        allow_same_face=allow_same_face,
    )


def log(database: Database) -> list[dict[str, Any]]:
    """The contents of the verification log; an emptied one is an empty object."""
    with database.read() as connection:
        assert check_chain(connection).broken is None
        return [dict(row.content or {}) for row in read_audit(connection)]


def employees(database: Database) -> dict[str, int]:
    """Number of references by id."""
    with database.read() as connection:
        return {row.employee_id: row.references for row in read_employees(connection)}


YES, NO = BooleanAttribute(True, 95), BooleanAttribute(False, 95)


@pytest.mark.parametrize(
    ("attributes", "reason"),
    [
        ({"sunglasses": YES}, "Sunglasses cover the eyes."),
        ({"face_occluded": YES}, "Part of the face is covered."),
        ({"mouth_open": YES}, "The mouth is open."),
        ({"eyes_open": NO}, "The eyes are closed."),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_reference_shows_the_whole_face_at_rest(
    database: Database, attributes: dict[str, BooleanAttribute], reason: str
) -> None:
    """The engine is certain of the attribute."""
    assert enroll(database, "e-1", face_of("ann"), engine=DescribingEngine(**attributes)) == [[reason]]
    assert employees(database) == {}


def test_an_open_mouth_is_enrolled_if_the_user_says_so(database: Database) -> None:
    engine, photo = DescribingEngine(mouth_open=YES), open_drawing(face_of("ann"))
    flaws = enroll_employee(database, engine, "e-1", [photo], STAMP, open_photo=open_drawing, allow_open_mouth=True)
    assert flaws == [[]]


@pytest.mark.parametrize(
    "attributes",
    [
        {},
        {"sunglasses": NO, "face_occluded": NO, "mouth_open": NO, "eyes_open": YES},
        {"sunglasses": BooleanAttribute(True, 79), "mouth_open": BooleanAttribute(True, 79)},
        {"face_occluded": BooleanAttribute(True, 79), "eyes_open": BooleanAttribute(False, 79)},
        {"eyeglasses": YES, "smile": YES, "beard": YES},
    ],
    ids=["not measured", "at rest", "uncertain", "uncertain too", "harmless"],
)
def test_other_attributes_refuse_no_photo(database: Database, attributes: dict[str, BooleanAttribute]) -> None:
    assert enroll(database, "e-1", face_of("ann"), engine=DescribingEngine(**attributes)) == [[]]


def test_a_speaking_employee_is_verified(database: Database) -> None:
    """An open mouth is a flaw of a reference only."""
    enroll(database, "e-1", face_of("ann"))
    photo = open_drawing(face_of("ann"))
    answer = verify_employee(database, DescribingEngine(mouth_open=YES), open_drawing, "e-1", photo, STAMP)
    assert answer.verdict is VerificationVerdict.ACCEPTED


def test_a_face_is_enrolled_under_one_id(database: Database) -> None:
    """Also with another photo of the face. The reason names the other id."""
    assert enroll(database, "e-1", face_of("ann")) == [[]]
    assert enroll(database, "e-2", face_of("bob")) == [[]]
    for photo in (face_of("ann"), drawing_bytes([Drawn("ann", left=30, top=20, size=120)])):
        ((flaw,),) = enroll(database, "e-3", photo)
        assert flaw.startswith('The face is enrolled under the id "e-1": similarity ')
    assert employees(database) == {"e-1": 1, "e-2": 1}


def test_look_alikes_are_enrolled_under_two_ids(database: Database) -> None:
    """A similarity that `verify` does not accept is no reason to refuse."""
    enroll(database, "e-1", face_of("ann"))
    assert enroll(database, "e-2", face_of(shade("ann", 95))) == [[]]


def test_twins_are_enrolled_if_the_user_says_so(database: Database) -> None:
    enroll(database, "e-1", face_of("ann"))
    assert enroll(database, "e-2", face_of("ann"), allow_same_face=True) == [[]]
    assert employees(database) == {"e-1": 1, "e-2": 1}


def test_two_ids_in_one_run_exclude_each_other(database: Database) -> None:
    """While a photo is examined, another process enrolls its face under another id."""

    def enroll_meanwhile(operation: Operation, _subject: str) -> None:
        if operation is Operation.DETECT_FACES and not employees(database):
            enroll(database, "e-1", face_of("ann"))

    ((flaw,),) = enroll(database, "e-2", face_of("ann"), engine=FakeEngine(before=enroll_meanwhile))
    assert '"e-1"' in flaw
    assert employees(database) == {"e-1": 1}


def test_a_paid_engine_compares_a_sheet_of_references(light_database: Database) -> None:
    """One comparison covers 25 references, and finds the face wherever it is on the sheet."""
    colors = [(red, green, blue) for red in (30, 130, 230) for green in (30, 130, 230) for blue in (30, 130, 230)]
    people = [color for color in colors if max(color) - min(color) > 50]
    for number, color in enumerate(people):
        assert enroll(light_database, f"e-{number}", face_of(color)) == [[]]
    for number in (0, 7, len(people) - 1):
        engine = FakeEngine(dollars=Decimal("0.001"))
        ((flaw,),) = enroll(light_database, "new", face_of(people[number]), engine=engine)
        assert f'"e-{number}"' in flaw
        assert engine.calls[Operation.COMPARE_FACES] == -(-len(people) // 25)
    assert set(employees(light_database)) == {f"e-{number}" for number in range(len(people))}


def test_a_photo_that_is_enrolled_is_not_examined_again(database: Database) -> None:
    """A file of employees can be enrolled again after a kill."""
    enroll(database, "e-1", face_of("ann"))
    engine = FakeEngine()
    assert enroll(database, "e-1", face_of("ann"), engine=engine) == [[]]
    assert not engine.calls
    assert employees(database) == {"e-1": 1}
    assert [entry["verdict"] for entry in log(database)] == ["enrolled", "enrolled"]


def test_the_log_has_every_photo_with_its_hash(database: Database) -> None:
    """Enrolled and refused photos, with the reasons."""
    photos = [face_of("ann"), face_of("bob"), drawing_bytes()]
    flaws = enroll(database, "e-1", *photos)
    entries = log(database)
    assert [entry["photo_sha256"] for entry in entries] == [sha256_of(photo) for photo in photos]
    assert [entry["verdict"] for entry in entries] == ["enrolled", "refused", "refused"]
    assert [entry["reasons"] for entry in entries] == flaws
    assert {(entry["what"], entry["employee_id"], entry["by"]) for entry in entries} == {("enroll", "e-1", STAMP.who)}


def test_the_log_has_failed_attempts(database: Database) -> None:
    """An unknown id, and an engine that cannot be reached."""

    def fail(*_: object) -> None:
        raise EngineError("The engine cannot be reached.")

    photo = face_of("ann")
    with pytest.raises(UsageError, match="No employee"):
        verify_employee(database, FakeEngine(), open_drawing, "e-9", open_drawing(photo), STAMP)
    with pytest.raises(EngineError):
        enroll(database, "e-1", photo, engine=FakeEngine(before=fail))
    entries = log(database)
    assert [(entry["what"], entry["employee_id"], entry["verdict"]) for entry in entries] == [
        ("verify", "e-9", "failed"),
        ("enroll", "e-1", "failed"),
    ]
    assert {entry["photo_sha256"] for entry in entries} == {sha256_of(photo)}
    assert [entry["reasons"] for entry in entries] == [
        ['No employee is enrolled under the id "e-9".'],
        ["The engine cannot be reached."],
    ]


def test_a_removed_employee_is_in_no_entry(database: Database) -> None:
    """Also not in entries of another id that was refused for the employee's face, and not in failed attempts."""
    enroll(database, "zoe-1", face_of("ann"))
    enroll(database, "e-2", face_of("ann"))
    with database.begin() as connection:
        assert remove_employee(connection, "zoe-1", STAMP) == 2
    assert "zoe-1" not in str(log(database))
    with pytest.raises(UsageError):
        verify_employee(database, FakeEngine(), open_drawing, "zoe-1", open_drawing(face_of("ann")), STAMP)
    with database.begin() as connection:
        assert remove_employee(connection, "zoe-1", STAMP) == 1
    assert "zoe-1" not in str(log(database))
    with pytest.raises(UsageError, match="No employee"), database.begin() as connection:
        remove_employee(connection, "zoe-1", STAMP)


@pytest.mark.parametrize("employee", ["", " ", "two\nlines", "\x1b[1m", "\u202eabc", "\udcff", "x" * 201])
def test_an_id_is_short_printable_text(database: Database, employee: str) -> None:
    """Enrollment and verification refuse another id, and nothing is logged."""
    with pytest.raises(UsageError):
        enroll(database, employee, face_of("ann"))
    with pytest.raises(UsageError):
        verify_employee(database, FakeEngine(), open_drawing, employee, open_drawing(face_of("ann")), STAMP)
    assert log(database) == []
