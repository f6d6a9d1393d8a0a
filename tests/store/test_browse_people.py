"""Pages of persons with covers, and the choice of strangers, on a catalogue made by a script."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from catalog.store.browse_people import (
    StrangerSelection,
    count_confirmed,
    count_strangers,
    cover_faces,
    find_strangers,
    list_persons,
)
from catalog.store.person_summaries import open_person_names, refresh_summaries
from catalog.store.tables import assignments, faces, persons

GALLERY = {"engine": "local", "gallery": "default"}


@pytest.fixture
def connection(refilled):
    """A transaction of a catalogue with 20 persons whose counts are computed."""
    with refilled.begin() as opened:
        refresh_summaries(opened, **GALLERY)
        yield opened


@pytest.mark.parametrize("shown", ["named", "unnamed", "hidden"])
def test_persons_are_listed_page_by_page(connection, shown):
    """Most faces first; every person once."""
    whole = list_persons(connection, shown, 100)
    listed, after = [], None
    while page := list_persons(connection, shown, 3, after=after):
        listed += page
        after = page[-1].person_id
    assert listed == whole
    assert [person.faces for person in whole] == sorted((person.faces for person in whole), reverse=True)
    assert all((person.name is None) is (shown == "unnamed") for person in whole if shown != "hidden")


def test_names_are_found_by_the_start_of_a_word_in_any_case(connection):
    """Also names that begin with a letter outside ASCII."""
    names = {person.name for person in list_persons(connection, "named", 100, prefix="kath")}
    assert names
    assert all(name.startswith("Katherine") for name in names)
    connection.execute(persons.update().where(persons.c.id == 2).values(name="Zoë Öztürk"))
    for prefix in ("öz", "Öz", "zo"):
        assert "Zoë Öztürk" in {person.name for person in open_person_names(connection, prefix, 100)}
    assert list_persons(connection, "named", 100, prefix="%") == []


def test_a_cover_is_a_face_of_the_person(connection):
    """One for each person, and the same one each time."""
    rows = [person.row for person in list_persons(connection, "named", 100)]
    covers = cover_faces(connection, rows, **GALLERY)
    assert covers.keys() == set(rows)
    assert all(covers[row].person_id == f"p{row:06d}" for row in rows)
    assert covers == cover_faces(connection, rows[::-1], **GALLERY)


def test_confirmed_faces_are_those_of_a_user(connection):
    """Faces that a machine assigned do not count."""
    assert sum(count_confirmed(connection, person, **GALLERY) for person in range(1, 21)) == 2


def photos_of_unnamed(connection):
    """Photos of the faces of each person without a name."""
    query = (
        select(assignments.c.person_id, assignments.c.photo_id)
        .join(persons, persons.c.id == assignments.c.person_id)
        .join(faces, faces.c.id == assignments.c.face_id)
        .where(persons.c.name.is_(None), persons.c.hidden.is_(False), faces.c.not_a_face.is_(False))
    )
    on_photos = {}
    for person, photo in connection.execute(query):
        on_photos.setdefault(person, set()).add(photo)
    return on_photos


def test_strangers_are_chosen_by_photo_by_album_and_by_rarity(connection):
    """Named persons are never among them."""
    on_photos = photos_of_unnamed(connection)
    photo = next(iter(next(iter(on_photos.values()))))
    rare = {person for person, shown in on_photos.items() if len(shown) < 6}
    assert 0 < len(rare) < len(on_photos)
    expected = {
        StrangerSelection(photo=f"{photo:064x}"): {person for person, shown in on_photos.items() if photo in shown},
        StrangerSelection(album="file:///photos/album%200000/"): set(on_photos),
        StrangerSelection(album="file:///photos/copies/"): {
            person for person, shown in on_photos.items() if all(number % 20 == 0 for number in shown)
        },
        StrangerSelection(fewer_than=6): rare,
    }
    for selection, rows in expected.items():
        assert set(find_strangers(connection, selection)) == rows
        assert count_strangers(connection, selection) == len(rows)
