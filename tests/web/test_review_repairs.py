"""Changes outside a card, over HTTP: move, split, rename, join, hide, bulk hide, and undo at any depth."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image

from tests.web.browser import fresh_key

PORTRAITS = Path(__file__).parent.parent / "fixtures"


@pytest.fixture
def ann(library):
    """The man on three photos, with a name."""
    person = next(person for person in library.people() if person.faces == 3)
    library.decisions.name(person.person_id, "Ann Example")
    library.review.refresh()
    return person.person_id


@pytest.fixture
def repair(client, library):
    """Sends a change as a page would that was loaded just now."""

    def send(action, **body):
        body = {"key": fresh_key(), "seen": library.review.seen(), "action": action, **body}
        return client.post("/api/repairs", body)

    return send


def verbs(library):
    return [decision.verb.value for decision in library.decisions.history()]


def faces_of(library, person):
    return [face.face_id for face in library.faces(person)]


def test_faces_move_to_a_new_person(library, ann, repair):
    """Only these faces change; the person keeps its name and the others. One undo brings them back."""
    first, second, third = faces_of(library, ann)
    status, answer = repair("move", person=ann, faces=[first, second], name={"new": "Bob Example"})
    assert (status, answer["text"]) == (200, "2 faces moved to Bob Example")
    assert set(faces_of(library, "Bob Example")) == {first, second}
    assert (library.person(ann).name, faces_of(library, ann)) == ("Ann Example", [third])
    library.review.undo(answer["group"])
    assert len(faces_of(library, ann)) == 3
    assert [person.name for person in library.people(named=True)] == ["Ann Example"]


def test_faces_split_off_are_a_person_without_a_name(library, ann, repair):
    """A machine never joins the two again."""
    first = faces_of(library, ann)[0]
    assert repair("split", person=ann, faces=[first])[0] == 200
    assert library.face(first).person_id != ann
    assert library.face(first).name is None
    assert verbs(library) == ["name", "split"]


def test_faces_that_are_no_faces_leave_every_list(library, ann, repair):
    """All picked ones, in one group."""
    first, second, third = faces_of(library, ann)
    assert repair("not_a_face", person=ann, faces=[first, second])[0] == 200
    assert faces_of(library, ann) == [third]
    assert len({decision.group for decision in library.decisions.history()[1:]}) == 1


def test_renaming_a_person_keeps_all_faces(library, ann, repair):
    """A gesture of its own."""
    assert repair("rename", person=ann, name={"new": "Anna Example"})[0] == 200
    assert library.person("Anna Example").faces == 3


def test_the_same_name_asks_whether_it_is_the_same_person(library, ann, repair):
    """Nothing is written before the answer; two people may have one name."""
    other = next(person.person_id for person in library.people(named=False))
    status, answer = repair("rename", person=other, name={"new": "Ann Example"})
    assert (status, answer["error"], answer["person"]) == (409, "same_name", ann)
    assert verbs(library) == ["name"]
    assert repair("rename", person=other, name={"new": "Ann Example"}, same_name=True)[0] == 200
    assert len(library.namesakes("Ann Example")) == 2


def test_two_people_are_joined(library, ann, repair):
    """The named person keeps its id."""
    other = next(person.person_id for person in library.people(named=False))
    assert repair("merge", person=other, name={"person": ann})[0] == 200
    assert library.person(other).person_id == ann


def test_a_person_is_hidden_and_shown_again(library, ann, repair):
    """Twice the same is refused."""
    assert repair("hide", person=ann)[0] == 200
    assert repair("hide", person=ann)[0] == 422
    assert repair("unhide", person=ann)[0] == 200
    assert library.person(ann).hidden is False


def test_a_change_elsewhere_is_a_conflict(client, library, ann):
    """The page was loaded before the command; changes of other persons do not matter."""
    seen = library.review.seen()
    other = next(person.person_id for person in library.people(named=False))
    library.decisions.name(other, "Eve Example")
    body = {"seen": seen, "action": "rename", "person": ann, "name": {"new": "Anna"}}
    assert client.post("/api/repairs", {"key": fresh_key(), **body})[0] == 200
    body["name"] = {"new": "Anne"}
    status, answer = client.post("/api/repairs", {"key": fresh_key(), **body})
    assert (status, answer["error"]) == (409, "changed")
    assert library.person(ann).name == "Anna"


@pytest.mark.parametrize(
    "body",
    [
        {"action": "delete"},
        {"action": "move", "faces": []},
        {"action": "move", "faces": "all"},
        {"action": "move", "faces": ["unknown"], "name": {"new": "Bob"}},
        {"action": "rename"},
        {"action": "rename", "person": "unknown", "name": {"new": "Bob"}},
        {"action": "merge", "person": "unknown", "name": {"new": "Bob"}},
        {"action": "hide", "person": 5},
        {"action": "split", "person": "unknown", "faces": [{}]},
        {"action": "hide", "person": "unknown", "seen": True},
    ],
    ids=str,
)
def test_changes_that_do_not_fit_are_refused(client, library, body):
    """422, and nothing is written."""
    assert client.post("/api/repairs", {"key": fresh_key(), "seen": 0, **body})[0] == 422
    assert library.decisions.history() == ()


def test_strangers_are_hidden_in_one_group(client, library, ann):
    """Named people stay; a number that is out of date is refused; one undo brings all back."""
    body = {"key": fresh_key(), "fewer_than": 3}
    assert client.post("/api/strangers", {**body, "count": 3})[0] == 409
    status, answer = client.post("/api/strangers", {**body, "count": 2})
    assert (status, answer["text"]) == (200, "2 people hidden")
    assert [person.person_id for person in library.people()] == [ann]
    assert answer["status"]["unnamed_persons"] == 0
    assert client.post("/api/undo", {"key": fresh_key(), "group": answer["group"]})[0] == 200
    assert len(library.people()) == 3
    assert client.get("/api/status")["unnamed_persons"] == 2


@pytest.mark.parametrize(
    "limit", [{}, {"fewer_than": 3, "album": "file:///"}, {"fewer_than": "x"}, {"photo": 7}], ids=str
)
def test_strangers_need_exactly_one_limit(client, library, limit):
    """422."""
    assert client.post("/api/strangers", {"key": fresh_key(), "count": 2, **limit})[0] == 422
    assert library.decisions.history() == ()


def test_an_undo_that_is_built_on_names_the_later_answers(client, library, ann, repair):
    """The offered undo of all reverts them together, latest first."""
    named = library.decisions.history()[0].number
    group = repair("rename", person=ann, name={"new": "Anna"})[1]["group"]
    status, answer = client.post("/api/undo", {"key": fresh_key(), "group": named})
    assert (status, answer["error"], sorted(answer["groups"])) == (409, "blocked", [named, group])
    assert "Anna named" in answer["message"]
    assert client.post("/api/undo", {"key": fresh_key(), "groups": answer["groups"]})[0] == 200
    assert library.person(ann).name is None


def test_undo_without_a_group_reverts_answer_by_answer(client, library, ann, repair):
    """Down to the first; redo goes up again."""
    for name in ("Bea", "Cora", "Dora"):
        repair("rename", person=ann, name={"new": name})
    names = []
    for _ in range(4):
        client.post("/api/undo", {"key": fresh_key()})
        names.append(library.person(ann).name)
    assert names == ["Cora", "Bea", "Ann Example", None]
    client.post("/api/undo", {"key": fresh_key(), "redo": True})
    assert library.person(ann).name == "Ann Example"
    assert client.post("/api/undo", {"key": fresh_key(), "groups": "all"})[0] == 422


def test_an_undo_without_a_group_takes_the_answer_off_the_list(client, ann, repair):
    """The last answers of the home page are those in force, and the text says what was undone."""
    for name in ("Bea", "Cora"):
        repair("rename", person=ann, name={"new": name})
    texts = [answer["text"] for answer in client.get("/api/status")["last"]]
    status, undone = client.post("/api/undo", {"key": fresh_key()})
    assert (status, undone["text"]) == (200, f"Undone: {texts[0]}")
    assert [answer["text"] for answer in client.get("/api/status")["last"]] == texts[1:]


def test_a_found_face_has_the_year_where_the_photo_was_taken(client, library, tmp_path):
    """New Year's night in Tokyo is in the old year by the time of the zone 0."""
    photo = tmp_path / "tokyo.jpg"
    exif = Image.Exif()
    exif.get_ifd(0x8769).update({0x9003: "2020:01:01 05:00:00", 0x9011: "+09:00"})
    with Image.open(PORTRAITS / "astronaut.jpg") as image:
        image.save(photo, exif=exif)
    for _ in library.scan([photo]):
        pass
    status, _, body = client.request("POST", "/api/find", raw=photo.read_bytes())
    assert status == 200
    assert 2020 in {face["taken"] for face in json.loads(body)["faces"]}


def test_a_watch_hit_is_confirmed_with_login_and_time(client, library, ann):
    """And can be dismissed afterwards."""
    library.watch_list.add("Suspect", [PORTRAITS / "obama_1.jpg"], threshold=90)
    hits = library.watch_list.check()
    assert b"3 hits to check" in client.request("GET", "/watch")[2]
    number = hits[0].number
    assert client.post("/api/hits", {"hit": number, "state": "confirmed"})[0] == 200
    (hit,) = library.watch_list.hits(state="confirmed")
    assert (hit.number, bool(hit.reviewed_by), hit.reviewed_at is not None) == (number, True, True)
    assert b"Confirmed by" in client.request("GET", "/watch")[2]
    assert client.post("/api/hits", {"hit": number, "state": "dismissed"})[0] == 200
    for body in ({"hit": 10**6, "state": "confirmed"}, {"hit": number, "state": "open"}, {"state": "confirmed"}):
        assert client.post("/api/hits", body)[0] == 422
    reference = library.watch_list.references("Suspect")[0]
    assert client.request("GET", f"/watch/references/{reference}")[2].startswith(b"\xff\xd8")
    assert client.request("GET", "/watch/references/99999")[0] == 404


def test_employees_are_shown_with_references_and_log(client, library):
    """Read only."""
    library.employees.enroll("E-<b>17</b>", [PORTRAITS / "biden.jpg"])
    library.employees.verify("E-<b>17</b>", PORTRAITS / "biden.jpg")
    body = client.request("GET", "/employees")[2].decode()
    assert "E-&lt;b&gt;17&lt;/b&gt;" in body
    assert "1 verification; last" in body
    assert "The chain of 2 entries is whole." in body
    (reference,) = library.employees.references("E-<b>17</b>")
    status, _, image = client.request("GET", f"/employees/references/{reference}")
    assert (status, image[:2]) == (200, b"\xff\xd8")


@pytest.mark.parametrize("library", ["apart"], indirect=True)
def test_a_pair_whose_person_was_changed_is_a_conflict(client, library):
    """Cards that another window fetched later do not hide it."""
    card = next(card for card in client.get("/api/questions?limit=6")["questions"] if card["kind"] == "pair")
    library.decisions.name(card["person"]["person"], "Ann Example")
    client.get("/api/questions?limit=6")
    body = {"key": fresh_key(), "question": card["id"], "seen": card["seen"], "answer": "yes"}
    status, answer = client.post("/api/answers", body)
    assert (status, answer["error"]) == (409, "changed")
    assert verbs(library) == ["name"]
