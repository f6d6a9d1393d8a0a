"""The pages to browse, over HTTP: what they show, what they link to, and what they refuse."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

import catalog
from catalog.web.review_server import ReviewServer
from tests.web.browser import ReviewClient

PORTRAITS = Path(__file__).parent.parent / "fixtures"
MARKUP = "<img src=x onerror=alert(1)>"


@pytest.fixture
def ann(library):
    """The man on three photos, with a name."""
    person = next(person for person in library.people() if person.faces == 3)
    library.decisions.name(person.person_id, "Ann Example")
    library.review.refresh()
    return person.person_id


def page_of(client, path, status=200):
    answered, headers, body = client.request("GET", path)
    assert (answered, headers["content-type"]) == (status, "text/html; charset=utf-8"), body
    return body.decode()


@pytest.mark.parametrize(
    ("path", "texts"),
    [
        ("/", ["Hide strangers", "Last answers"]),
        ("/people", ["Ann Example", "3 faces"]),
        ("/people?q=exam", ["Ann Example"]),
        ("/people?q=zzz", ["No name begins with"]),
        ("/people?shown=unnamed", ["No name", "1 face"]),
        ("/people?shown=hidden", ["None."]),
        ("/people/{ann}", ["Ann Example", "Does a face not belong here?", 'role="checkbox"']),
        ("/people/{ann}?order=unconfirmed", ['role="checkbox"']),
        ("/people/{ann}/time", ["Without a date"]),
        ("/people/{ann}/together", ["No photo shows another person too."]),
        ("/photos", ["5 photos"]),
        ("/photos?with={ann}", ["3 photos", "Ann Example"]),
        ("/photos?with={ann}&only=1", ["3 photos", "Only these people"]),
        ("/photos?year=1999", ["0 photos"]),
        ("/albums", ["fixtures", "5 photos"]),
        ("/expressions", ["What the faces show"]),
        ("/expressions?person={ann}", ["Expressions of Ann Example"]),
        ("/strangers?fewer_than=3", ["Hide 2 people"]),
        ("/history", ["Ann Example named", "Undo"]),
        ("/find", ["Find by photo"]),
        ("/watch", ["The watch list is empty"]),
        ("/employees", ["No employee is enrolled", "The chain of 0 entries is whole"]),
    ],
)
def test_a_page_shows_its_subject(client, ann, path, texts):
    """Every page answers 200."""
    body = page_of(client, path.format(ann=ann))
    assert [text for text in texts if text not in body] == []


@pytest.mark.parametrize(
    "path", ["/people/unknown", "/photos/" + "0" * 64, "/photos?with=unknown", "/originals/" + "0" * 64]
)
def test_unknown_subjects_are_not_found(client, path):
    """404 with a page that says so."""
    assert "Not found" in page_of(client, path, 404)


def test_a_name_with_markup_is_text_on_every_page(client, library, ann):
    """The templates escape."""
    library.decisions.name(ann, MARKUP)
    library.review.refresh()
    sha256 = library.faces(ann)[0].sha256
    for path in ("/people", f"/people/{ann}", f"/photos?with={ann}", f"/photos/{sha256}", "/history", "/people?q=<b>"):
        body = page_of(client, path)
        assert MARKUP not in body
        assert "<b>" not in body


def test_a_photo_has_a_box_that_leads_to_the_person(client, library, ann):
    """Each box is a link; the original file is linked."""
    face = library.faces(ann)[0]
    body = page_of(client, f"/photos/{face.sha256}")
    box = body.partition("<svg")[2].partition("</svg>")[0]
    assert f'href="/people/{ann}"' in box
    assert 'aria-label="Ann Example, face 1 of 1"' in box
    assert f'href="/originals/{face.sha256}"' in body


def test_the_original_file_is_served_as_it_is(client, library, ann):
    """Byte for byte, to be saved under its name."""
    face = library.faces(ann)[0]
    status, headers, body = client.request("GET", f"/originals/{face.sha256}")
    assert status == 200
    assert body == Path(face.uri.removeprefix("file://")).read_bytes()
    assert headers["content-type"] == "image/jpeg"
    assert headers["content-disposition"].startswith("attachment; filename*=UTF-8''obama_")


def test_a_changed_file_is_not_shown_as_the_photo_it_was(tmp_path):
    """The original and the crop are refused: the face would be another one."""
    photo = tmp_path / "photo.jpg"
    shutil.copy(PORTRAITS / "biden.jpg", photo)
    with catalog.open(tmp_path / "catalog.sqlite3", create=True) as library:
        for _ in library.scan([photo]):
            pass
        library.review.refresh()
        face = library.faces(library.people()[0].person_id)[0]
        shutil.copy(PORTRAITS / "obama_1.jpg", photo)
        server = ReviewServer(library)
        with server.in_background():
            client = ReviewClient(server.host)
            client.sign_in(server.address())
            for path in (f"/originals/{face.sha256}", f"/crops/{face.face_id}/192", f"/images/{face.sha256}/1280"):
                assert client.request("GET", path)[0] == 404


def test_a_photo_finds_its_person(client, library, ann):
    """The upload is not catalogued; the answer names the person and the faces."""
    photos = library.status().photos
    status, _, body = client.request("POST", "/api/find", raw=(PORTRAITS / "obama_2.jpg").read_bytes())
    answer = json.loads(body)
    assert (status, answer["persons"][0]["name"]) == (200, "Ann Example")
    assert len([face for face in answer["faces"] if face["person"] == ann]) == 3
    assert library.status().photos == photos


@pytest.mark.parametrize(
    ("size", "status"), [(0, 422), (1000, 422), (30 * 1024 * 1024 + 1, 413)], ids=["empty", "no photo", "too large"]
)
def test_uploads_that_are_no_photo_are_refused(client, size, status):
    """The server goes on."""
    assert client.request("POST", "/api/find", raw=b"x" * size)[0] == status
    assert client.get("/api/status")["faces"] == 5


def test_a_photo_needs_the_own_origin_and_the_key_of_the_page(client):
    """As every change does."""
    photo = (PORTRAITS / "obama_2.jpg").read_bytes()
    assert client.request("POST", "/api/find", raw=photo, origin="http://attacker.example")[0] == 403
    assert client.request("POST", "/api/find", raw=photo, x_review=None)[0] == 403


def test_a_date_is_shown_as_exactly_as_it_is_known(library, client, ann):
    """Of a photo of June 1948 no day is known."""
    sha256 = library.faces(ann)[0].sha256
    library.decisions.set_date(sha256, "1948-06")
    for path in (f"/people/{ann}/time", "/photos", f"/photos/{sha256}"):
        page = page_of(client, path)
        assert "1948-06" in page
        assert "1948-06-" not in page
    assert ", photo of 1948" in page_of(client, f"/people/{ann}/time")
