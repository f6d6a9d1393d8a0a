"""The faces of a card of a person with very many faces are those that a ranking of all its faces gives."""

from __future__ import annotations

import pytest
from sqlalchemy import Connection, bindparam, func, select, update

import catalog
from catalog.app import card_faces as cards
from catalog.app.card_faces import ALL_SHOWN, FaceRow
from catalog.app.review_values import Choice, ReviewAnswer
from catalog.store import many_faces
from catalog.store.catalogued_faces import CataloguedFace, faces_of_person
from catalog.store.face_order import FaceOrder
from catalog.store.people import find_person
from catalog.store.person_summaries import refresh_summaries
from catalog.store.tables import assignments, faces, person_summaries, persons, photos

both_databases = pytest.mark.parametrize("made_library", ["sqlite", "postgresql"], indirect=True)


@pytest.fixture
def library(made_library: catalog.Catalog) -> catalog.Catalog:
    """The made catalogue with equal dates, equal similarities, and faces that are no faces."""
    with made_library._resources.database.begin() as connection:
        connection.execute(update(photos).values(taken_local=func.substr(photos.c.taken_local, 1, 7) + "-01T00:00:00"))
        connection.execute(update(photos).where(photos.c.id % 7 == 0).values(taken_local=None, taken_local_end=None))
        connection.execute(update(assignments).where(assignments.c.face_id % 5 == 0).values(similarity=None))
        connection.execute(update(assignments).where(assignments.c.face_id % 11 == 0).values(similarity=91.5))
        connection.execute(update(assignments).where(assignments.c.face_id % 3 == 0).values(by="human"))
        connection.execute(update(faces).where(faces.c.id % 13 == 0).values(not_a_face=True))
        count_again(made_library, connection)
    return made_library


def count_again(library: catalog.Catalog, connection: Connection) -> None:
    resources = library._resources
    refresh_summaries(connection, engine=resources.settings.engine.name, gallery=resources.gallery)


def persons_with_more_than(library: catalog.Catalog, count: int) -> list[str]:
    query = select(persons.c.person_id).join(person_summaries, person_summaries.c.person_id == persons.c.id)
    with library._resources.database.read() as connection:
        return list(connection.scalars(query.where(person_summaries.c.faces > count).order_by(persons.c.id)))


def rows_of(card: tuple[FaceRow, ...]) -> list[tuple[FaceOrder, list[int]]]:
    return [(row.order, [face.row for face in row.faces]) for row in card]


def as_many(monkeypatch: pytest.MonkeyPatch, *, sample: int) -> None:
    """Take every person with more faces than a card shows for one with very many."""
    monkeypatch.setattr(many_faces, "MANY_FACES", ALL_SHOWN)
    monkeypatch.setattr(many_faces, "SAMPLE", sample)


@both_databases
def test_a_sample_of_all_faces_gives_the_card_of_the_ranking(library, monkeypatch):
    large = persons_with_more_than(library, ALL_SHOWN)
    ranked = [rows_of(library.review.card_faces(person)) for person in large]
    sides = [library.review.faces(person, FaceOrder.CLEAREST, 6) for person in large]
    as_many(monkeypatch, sample=1_200)
    assert len(large) > 10
    assert [rows_of(library.review.card_faces(person)) for person in large] == ranked
    assert [library.review.faces(person, FaceOrder.CLEAREST, 6) for person in large] == sides


@both_databases
def test_a_small_sample_changes_the_clearest_faces_but_the_first(library, monkeypatch):
    (person, *_) = persons_with_more_than(library, 60)
    ranked = library.review.card_faces(person)
    as_many(monkeypatch, sample=30)
    card = library.review.card_faces(person)
    shown = [face.row for row in card for face in row.faces]
    assert [len(row.faces) for row in card] == [8, 8, 8]
    assert len(set(shown)) == 24
    assert card[0].faces[0] == ranked[0].faces[0]
    assert card[0].faces != ranked[0].faces
    assert card[2].order is FaceOrder.OLDEST
    assert card[2].faces[0].taken == ranked[2].faces[0].taken
    assert card[2].faces[-1].taken == ranked[2].faces[-1].taken


def test_many_faces_of_another_gallery_are_left_out(library, monkeypatch):
    (person, *_) = persons_with_more_than(library, 60)
    with library._resources.database.begin() as connection:
        row = connection.scalar(select(persons.c.id).where(persons.c.person_id == person))
        own = select(assignments.c.face_id).where(assignments.c.person_id == row)
        doubtful = list(connection.scalars(own.order_by(assignments.c.similarity).limit(45)))
        moved = update(faces).where(faces.c.id == bindparam("row")).values(gallery="another")
        connection.execute(moved, [{"row": face} for face in doubtful])
        count_again(library, connection)
    ranked = rows_of(library.review.card_faces(person))
    as_many(monkeypatch, sample=1_200)
    assert rows_of(library.review.card_faces(person)) == ranked
    assert {face for _, rows in ranked for face in rows}.isdisjoint(doubtful)


def test_many_faces_without_a_date_have_no_row_of_the_oldest(library, monkeypatch):
    with library._resources.database.begin() as connection:
        connection.execute(update(photos).values(taken_local=None, taken_local_end=None))
        count_again(library, connection)
    (person, *_) = persons_with_more_than(library, 60)
    ranked = rows_of(library.review.card_faces(person))
    as_many(monkeypatch, sample=1_200)
    assert rows_of(library.review.card_faces(person)) == ranked
    assert [order for order, _ in ranked] == [FaceOrder.CLEAREST, FaceOrder.DOUBTFUL]


def test_only_a_person_with_very_many_faces_is_sampled(library, monkeypatch):
    monkeypatch.setattr(cards, "face_ranks", None)
    (person, *_) = persons_with_more_than(library, 60)
    with pytest.raises(TypeError):
        library.review.card_faces(person)
    as_many(monkeypatch, sample=1_200)
    assert library.review.card_faces(person)


def test_the_exemplars_of_many_faces_are_the_oldest(library, monkeypatch):
    def first_times(shown: list[CataloguedFace]) -> list[str]:
        return sorted(face.taken.first for face in shown if face.taken is not None)

    large = persons_with_more_than(library, ALL_SHOWN)
    with library._resources.database.begin() as connection:
        connection.execute(
            update(faces).values(not_a_face=False)
        )  # such a face has no person, except in this catalogue
        rows = [find_person(connection, person) for person in large]
        oldest = [first_times(faces_of_person(connection, row, limit=8)) for row in rows]
        as_many(monkeypatch, sample=30)
        assert [first_times(many_faces.oldest_faces(connection, row, 8)) for row in rows] == oldest
    assert all(len(times) == 8 for times in oldest)


def test_a_new_cover_of_many_faces_is_one_of_the_sample(library, monkeypatch):
    (person, *_) = persons_with_more_than(library, 60)
    clearest = library.review.faces(person, FaceOrder.CLEAREST, 30)
    as_many(monkeypatch, sample=30)
    reject = Choice(clearest[0].face_id, "reject")
    library.review.answer(ReviewAnswer("k", person, library.review.seen(), name="Ann Example", choices=(reject,)))
    cover = next(entry.cover for entry in library.browse.people() if entry.person.person_id == person)
    assert cover is not None
    assert cover.row != clearest[0].row
