"""Finding a person by reference photos."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

import numpy as np
import pytest
from sqlalchemy import update

from catalog.domain.charges import Charge, Operation
from catalog.domain.errors import NoFaceError
from catalog.domain.local_day import DatePrecision, Period
from catalog.domain.opened_photo import OpenedPhoto
from catalog.domain.taken_at import DateSource
from catalog.identities.decisions import verbs
from catalog.identities.matching.find_person import FindResult, PersonQuery, Reference, find_faces
from catalog.store.catalogued_faces import faces_of_person
from catalog.store.database import Database
from catalog.store.people import find_person
from catalog.store.person_index import PersonRow
from catalog.store.photo_dates import date_columns
from catalog.store.tables import photos
from tests.fakes import Drawn, FakeEngine, draw, opened
from tests.identities.assigned_catalogue import as_engine, settled
from tests.identities.decided_catalogue import STAMP, unmerged_persons
from tests.identities.made_library import LendingGallery, Shot, enroll, people, vector_near


class Library:
    """Two slightly similar people, one photo of each per year, and reference photos of both."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.gallery = LendingGallery()
        rng = np.random.default_rng(8)
        (ann,) = people(1, rng, 128)
        bea = vector_near(ann, 0.3, rng).astype(np.float64)
        shots = [
            Shot(f"{name}-{year}", [vector_near(center, 0.87, rng)], taken_at=datetime(year, 6, 1, tzinfo=UTC))
            for name, center in (("ann", ann), ("bea", bea))
            for year in range(2001, 2006)
        ]
        settled(database, self.gallery, enroll(database, self.gallery, shots))
        with database.begin() as connection:
            for person in unmerged_persons(connection):
                (uri,) = {face.uri for face in faces_of_person(connection, person, limit=1)}
                verbs.name_person(connection, person, "Ann" if "ann" in (uri or "") else "Bea", STAMP)
        halfway = (ann + bea) / np.linalg.norm(ann + bea)
        for name, center in (("ann", ann), ("bea", bea), ("both", halfway)):
            self.gallery.probes[name.encode()] = vector_near(center, 0.95, rng)

    def reference(self, name: str) -> Reference:
        return Reference(OpenedPhoto(np.zeros((8, 8, 3), np.uint8), 8, 8, "JPEG", data=name.encode()))

    def find(self, wanted: PersonQuery) -> FindResult:
        return find_faces(self.database, as_engine(self.gallery), wanted, gallery="catalog")

    def person(self, name: str) -> PersonRow:
        with self.database.read() as connection:
            return find_person(connection, name)


@pytest.fixture
def library(light_database: Database) -> Library:
    return Library(light_database)


def names(result: FindResult) -> set[str | None]:
    return {match.name for match in result.matches}


def test_the_photos_of_the_person_come_first(library: Library) -> None:
    """Five photos of Ann, the best first, with the name, the margin to Bea and the charge."""
    result = library.find(PersonQuery([library.reference("ann")], threshold=5))
    assert [match.name for match in result.matches[:5]] == ["Ann"] * 5
    assert [m.similarity for m in result.matches] == sorted((m.similarity for m in result.matches), reverse=True)
    assert result.candidates[0].name == "Ann"
    assert result.margin is not None
    assert not result.tie
    assert len(result.charges) == 1


def test_two_equally_similar_persons_are_a_tie(library: Library) -> None:
    result = library.find(PersonQuery([library.reference("both")], threshold=5))
    assert result.tie
    assert {row.name for row in result.candidates} == {"Ann", "Bea"}


def test_a_negative_reference_excludes_the_lookalike(library: Library) -> None:
    assert names(library.find(PersonQuery([library.reference("both")], threshold=5))) == {"Ann", "Bea"}
    result = library.find(PersonQuery([library.reference("both")], [library.reference("bea")], threshold=5))
    assert names(result) == {"Ann"}


def test_several_references_are_alternatives(library: Library) -> None:
    """A face counts with its most similar reference."""
    first = library.find(PersonQuery([library.reference("ann")], threshold=95))
    second = library.find(PersonQuery([library.reference("ann"), library.reference("bea")], threshold=95))
    assert names(first) == {"Ann"}
    assert names(second) == {"Ann", "Bea"}
    assert len(second.probes) == 2


def test_a_named_person_needs_no_reference(library: Library) -> None:
    result = library.find(PersonQuery(person=library.person("Bea"), threshold=90))
    assert [match.name for match in result.matches].count("Bea") == 5


def test_since_and_until_limit_the_matches(library: Library) -> None:
    period = Period.parse("2002", "2003")
    result = library.find(PersonQuery([library.reference("ann")], threshold=90, period=period))
    assert sorted(match.taken_at.year for match in result.matches if match.taken_at) == [2002, 2003]


def test_photos_without_a_date_are_counted(library: Library) -> None:
    """Only if the search has a period, and only those that match."""
    with library.database.begin() as connection:
        undated = date_columns(None, None, None, None)
        connection.execute(update(photos).where(photos.c.taken_local < "2002").values(**undated))
    query = PersonQuery([library.reference("ann")], threshold=90)
    assert library.find(query).undated == 0
    assert library.find(replace(query, period=Period.parse("2002", None))).undated == 1


def test_a_partial_date_is_before_a_birth_only_as_a_whole(library: Library) -> None:
    """A photo of the year of birth may show the child; its first day proves nothing."""
    with library.database.begin() as connection:
        year = date_columns(datetime(2002, 1, 1, tzinfo=UTC), None, DatePrecision.YEAR, DateSource.USER)
        connection.execute(update(photos).where(photos.c.taken_local.startswith("2002")).values(**year))
        verbs.set_birth_date(connection, find_person(connection, "Ann"), date(2002, 8, 1), STAMP)
    result = library.find(PersonQuery([library.reference("ann")], threshold=90))
    assert sorted({match.taken.text for match in result.matches if match.taken})[0] == "2002"


def test_photos_before_the_birth_date_do_not_match(library: Library) -> None:
    with library.database.begin() as connection:
        verbs.set_birth_date(connection, find_person(connection, "Ann"), date(2003, 1, 1), STAMP)
    result = library.find(PersonQuery([library.reference("ann")], threshold=90))
    assert min(match.taken_at.year for match in result.matches if match.taken_at) == 2003


def test_hidden_persons_are_not_found(library: Library) -> None:
    with library.database.begin() as connection:
        verbs.set_hidden(connection, find_person(connection, "Ann"), True, STAMP)
    assert library.find(PersonQuery([library.reference("ann")], threshold=90)).matches == ()


def test_charges_are_reported_if_a_later_reference_shows_no_face(light_database: Database) -> None:
    engine = FakeEngine(dollars=Decimal("0.001"))
    references = [Reference(opened(draw([Drawn("ann")]))), Reference(opened(draw()))]
    paid: list[Charge] = []
    query = PersonQuery(references=references)
    with pytest.raises(NoFaceError) as caught:
        find_faces(light_database, engine, query, gallery="catalog", on_charges=paid.extend)
    assert caught.value.charges == tuple(paid)
    assert [(charge.operation, charge.calls) for charge in paid] == [(Operation.SEARCH_FACES_BY_IMAGE, 1)]
