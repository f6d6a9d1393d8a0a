"""Pages of photos, albums and expressions, compared with the rows of a catalogue made by a script."""

from __future__ import annotations

import pytest
from sqlalchemy import insert, select, text, update

from catalog.store.browse_photos import (
    PhotoSelection,
    count_photos,
    expressions,
    other_files,
    read_albums,
    read_photo,
    read_photos,
    rows_with_expression,
    years_of_photos,
)
from catalog.store.tables import assignments, faces, locations, persons, photos, stacked_photos

GALLERY = {"engine": "local", "gallery": "default"}
ALBUM = "file:///photos/album%200001/"


@pytest.fixture
def connection(filled):
    """A read transaction of the catalogue."""
    with filled.read() as opened:
        yield opened


@pytest.fixture
def rows(connection):
    """Content hash, time, present uris, and faces as (person, emotion) of each photo; person None: unassigned."""
    hidden = set(connection.scalars(select(persons.c.id).where(persons.c.hidden.is_(True))))
    result = {row.id: (row.sha256, row.taken_local, [], []) for row in connection.execute(select(photos))}
    for row in connection.execute(select(locations).where(locations.c.missing_since.is_(None))):
        result[row.photo_id][2].append(row.uri)
    query = select(faces, assignments.c.person_id).outerjoin(assignments, assignments.c.face_id == faces.c.id)
    for row in connection.execute(query.where(faces.c.not_a_face.is_(False))):
        person = "hidden" if row.person_id in hidden else row.person_id
        result[row.photo_id][3].append((person, row.emotion))
    return {row: values for row, values in result.items() if values[2]}


def in_order(rows, keep):
    """Content hashes of the photos to keep, newest first, undated ones last."""
    kept = [(taken, number, sha) for number, (sha, taken, uris, shown) in rows.items() if keep(uris, shown, taken)]
    dated = sorted((entry for entry in kept if entry[0]), reverse=True)
    return [sha for _, _, sha in dated + sorted((entry for entry in kept if not entry[0]), reverse=True)]


@pytest.mark.parametrize(
    ("selection", "keep"),
    [
        (PhotoSelection(), lambda uris, shown, taken: True),
        (PhotoSelection(album=ALBUM), lambda uris, shown, taken: any(uri.startswith(ALBUM) for uri in uris)),
        (PhotoSelection(persons=(1, 5)), lambda uris, shown, taken: {1, 5} <= {who for who, _ in shown}),
        (
            PhotoSelection(persons=(2,), only=True),
            lambda uris, shown, taken: {who for who, _ in shown} - {"hidden"} == {2},
        ),
        (PhotoSelection(emotion="SAD"), lambda uris, shown, taken: "SAD" in {emotion for _, emotion in shown}),
        (PhotoSelection(persons=(3,), emotion="HAPPY"), lambda uris, shown, taken: (3, "HAPPY") in shown),
        (PhotoSelection(year=2010), lambda uris, shown, taken: (taken or "").startswith("2010")),
    ],
    ids=["all", "album", "together", "only", "emotion", "emotion of a person", "year"],
)
def test_a_selection_lists_its_photos_page_by_page(connection, rows, selection, keep):
    """Each photo once, newest first, in pages of any size."""
    expected = in_order(rows, keep)
    assert expected
    assert count_photos(connection, selection, **GALLERY) == len(expected)
    listed, after = [], None
    while page := read_photos(connection, selection, 7, after=after, **GALLERY):
        listed += [photo.sha256 for photo in page]
        after = listed[-1]
        if len(listed) > 60:
            break
    assert listed == expected[: len(listed)]
    assert len(listed) >= min(60, len(expected))


def test_the_last_page_has_photos_without_a_date(connection, rows):
    """Paging goes on within the undated photos."""
    undated = in_order(rows, lambda uris, shown, taken: taken is None)
    assert len(undated) > 2
    page = read_photos(connection, PhotoSelection(), 100, after=undated[0], **GALLERY)
    assert [photo.sha256 for photo in page] == undated[1:]


def test_a_photo_has_its_path_and_its_absence(connection, rows):
    """A photo without a present location says since when."""
    present = read_photo(connection, next(iter(rows.values()))[0])
    assert (present.path.startswith("/photos/"), present.missing_since) == (True, None)
    absent = text(
        "SELECT sha256 FROM photos WHERE id NOT IN (SELECT photo_id FROM locations WHERE missing_since IS NULL)"
    )
    missing = read_photo(connection, connection.scalar(absent))
    assert missing.missing_since is not None
    assert read_photo(connection, "f" * 64) is None


def test_albums_are_the_folders_with_photos(connection, rows):
    """Counted by content, in the order of their addresses."""
    folders = {}
    for number, (_, _, uris, _) in rows.items():
        for uri in uris:
            folders.setdefault(uri.rpartition("/")[0] + "/", set()).add(number)
    albums = read_albums(connection)
    assert [(album.uri, album.photos) for album in albums] == sorted((uri, len(kept)) for uri, kept in folders.items())
    assert albums[0].path == "/photos/album 0000/"


def test_years_and_expressions_are_counted(connection, rows):
    """Faces of hidden persons are left out."""
    years = {}
    counts = {}
    for _, taken, _, _ in rows.values():
        year = int(taken[:4]) if taken else None
        years[year] = years.get(year, 0) + 1
    query = select(faces.c.emotion, persons.c.hidden, faces.c.not_a_face).select_from(
        faces.outerjoin(assignments, assignments.c.face_id == faces.c.id).outerjoin(
            persons, persons.c.id == assignments.c.person_id
        )
    )
    for emotion, hidden, not_a_face in connection.execute(query):
        if emotion and not hidden and not not_a_face:
            counts[emotion] = counts.get(emotion, 0) + 1
    undated = years.pop(None)
    assert years_of_photos(connection) == [*sorted(years.items(), reverse=True), (None, undated)]
    assert expressions(connection, **GALLERY) == counts
    shown = rows_with_expression(connection, "SAD", 10_000, **GALLERY)
    assert len(shown) == counts["SAD"]
    assert rows_with_expression(connection, "SAD", 5, offset=3, **GALLERY) == shown[3:8]


def test_pages_follow_the_local_time(refilled):
    """A photo of another time zone has a later moment and an earlier local time: no page repeats or skips it."""
    with refilled.begin() as connection:
        for number, moment, local in (
            (1, "2031-01-01T09:00:00+00:00", "2031-01-01T03:00:00"),
            (2, "2031-01-01T04:00:00+00:00", "2031-01-01T04:00:00"),
            (3, "2031-01-01T01:00:00+00:00", "2031-01-01T05:00:00"),
        ):
            values = {"taken_at": moment, "taken_local": local, "taken_local_end": local}
            connection.execute(update(photos).where(photos.c.id == number).values(**values))
        connection.execute(update(locations).values(missing_since=None))
    with refilled.read() as connection:
        hashes = {row.id: row.sha256 for row in connection.execute(select(photos.c.id, photos.c.sha256))}
        listed, after = [], None
        for _ in range(3):
            page = read_photos(connection, PhotoSelection(), 1, after=after, **GALLERY)
            after = page[0].sha256
            listed.append(after)
    assert listed == [hashes[3], hashes[2], hashes[1]]


def test_files_of_one_exposure_are_one_photo(filled, rows):
    """In pages, albums, years and expressions. An album without the photo that counts shows its own file."""
    with filled.begin() as connection:
        by_uri = {uri: number for number, (_, _, uris, _) in rows.items() for uri in uris}
        in_album = sorted({number for uri, number in by_uri.items() if uri.startswith(ALBUM)})
        elsewhere = next(number for number in rows if number not in in_album)
        stacked = next(number for number in in_album if any(who not in (None, "hidden") for who, _ in rows[number][3]))
        counted, lone, other = [number for number in in_album if number != stacked][:3]
        total = count_photos(connection, PhotoSelection(), **GALLERY)
        album_total = count_photos(connection, PhotoSelection(album=ALBUM), **GALLERY)
        years, albums = (
            dict(years_of_photos(connection)),
            {album.uri: album.photos for album in read_albums(connection)},
        )
        person, emotion = next((who, how) for who, how in rows[stacked][3] if who not in (None, "hidden"))
        before = expressions(connection, **GALLERY)
        connection.execute(
            insert(stacked_photos),
            [
                {"photo_id": stacked, "counted_id": counted, "evidence": "name"},
                {"photo_id": lone, "counted_id": elsewhere, "evidence": "image"},
            ],
        )
        assert count_photos(connection, PhotoSelection(), **GALLERY) == total - 2
        assert count_photos(connection, PhotoSelection(album=ALBUM), **GALLERY) == album_total - 1
        assert {album.uri: album.photos for album in read_albums(connection)}[ALBUM] == albums[ALBUM] - 1
        listed = {photo.sha256 for photo in read_photos(connection, PhotoSelection(persons=(person,)), 500, **GALLERY)}
        assert rows[counted][0] in listed
        assert rows[stacked][0] not in listed
        assert sum(dict(years_of_photos(connection)).values()) == sum(years.values()) - 2
        left_out = sum(how == emotion for number in (stacked, lone) for who, how in rows[number][3] if who != "hidden")
        assert expressions(connection, **GALLERY)[emotion] == before[emotion] - left_out
        assert [photo.sha256 for photo in other_files(connection, rows[stacked][0])] == [rows[counted][0]]
        assert [photo.sha256 for photo in other_files(connection, rows[counted][0])] == [rows[stacked][0]]
        assert other_files(connection, rows[other][0]) == []
        connection.rollback()
