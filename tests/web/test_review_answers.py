"""Answers over HTTP: recorded once, checked against the card, and undone as a whole."""

from __future__ import annotations

import pytest

from catalog.domain.errors import UsageError


@pytest.fixture
def card(client):
    """The card of the man on three photos."""
    return client.get("/api/questions?limit=3")["questions"][0]


def about(card):
    """The fields of every answer to a card."""
    return {"key": "key-1", "question": card["id"], "seen": card["seen"]}


def name_body(card, name, **fields):
    return {**about(card), "answer": "name", "name": {"new": name}, **fields}


def faces_of(card):
    return [tile["face"] for row in card["rows"] for tile in row["tiles"]]


def test_the_first_card_shows_all_faces_of_the_largest_group(card):
    """Three faces, in one row."""
    assert (card["kind"], card["person"]["faces"], len(faces_of(card))) == ("group", 3, 3)
    assert [row["title"] for row in card["rows"]] == ["All faces"]


def test_a_group_is_named(client, library, card):
    """The response has the new status, and the card is not asked again."""
    status, answer = client.post("/api/answers", name_body(card, "Ann Example"))
    assert (status, answer["text"], answer["status"]["named"]) == (200, "Ann Example named", 3)
    assert library.person("Ann Example").faces == 3
    assert card["id"] not in {question["id"] for question in client.get("/api/questions")["questions"]}


def test_unticked_faces_leave_the_group(client, library, card):
    """One rejected, one not a face, one named; one undo restores all three."""
    rejected, no_face, _ = faces_of(card)
    unticked = [{"face": rejected, "as": "reject"}, {"face": no_face, "as": "not_a_face"}]
    status, answer = client.post("/api/answers", name_body(card, "Ann Example", unticked=unticked))
    assert status == 200
    assert library.person("Ann Example").faces == 1
    assert [decision.verb.value for decision in library.decisions.history()] == ["reject", "not_a_face", "name"]
    status, _ = client.post("/api/undo", {"key": "undo-1", "group": answer["group"]})
    assert status == 200
    assert library.person(card["person"]["person"]).faces == 3
    assert library.person(card["person"]["person"]).name is None


def test_a_repeated_answer_is_recorded_once(client, library, card):
    """Also one that was sent again because its response was lost."""
    first, again = (client.post("/api/answers", name_body(card, "Ann Example"))[1] for _ in range(2))
    assert first["group"] == again["group"]
    assert len(library.decisions.history()) == 1


def test_a_repeated_undo_is_recorded_once(client, library, card):
    """The second press of a key that is held does nothing."""
    group = client.post("/api/answers", name_body(card, "Ann Example"))[1]["group"]
    results = [client.post("/api/undo", {"key": "undo-1", "group": group})[1]["undo"] for _ in range(2)]
    assert results[0] == results[1]
    assert len(library.decisions.history()) == 2


def test_the_same_key_for_another_answer_is_refused(client, library, card):
    """Nothing is written."""
    client.post("/api/answers", name_body(card, "Ann Example"))
    assert client.post("/api/answers", name_body(card, "Bea Example"))[0] == 422
    assert [person.name for person in library.people(named=True)] == ["Ann Example"]


def test_a_person_changed_by_a_command_is_a_conflict(client, library, card):
    """The response has the card as it is now."""
    library.decisions.reject(faces_of(card)[0])
    library.review.refresh()
    status, answer = client.post("/api/answers", name_body(card, "Ann Example"))
    assert (status, answer["error"]) == (409, "changed")
    assert answer["card"]["person"]["faces"] == 2
    assert not library.people(named=True)


def test_a_card_that_returns_after_an_undo_is_answered(client, library, card):
    """The decision and its undo are older than the card."""
    client.post("/api/answers", name_body(card, "Ann Example"))
    client.post("/api/undo", {"key": "undo-1"})
    again = client.get("/api/questions?limit=3")["questions"][0]
    assert faces_of(again) == faces_of(card)
    assert client.post("/api/answers", {**name_body(again, "Bea Example"), "key": "key-2"})[0] == 200
    assert library.person("Bea Example").faces == 3


def test_joining_with_an_existing_person_by_id(client, library, card):
    """The group is merged into the named person."""
    client.post("/api/answers", name_body(card, "Ann Example"))
    second = client.get("/api/questions?limit=3")["questions"][0]
    names = client.get("/api/names?q=an")["names"]
    assert [name["name"] for name in names] == ["Ann Example"]
    body = {**name_body(second, ""), "key": "key-2", "name": {"person": names[0]["person"]}}
    assert client.post("/api/answers", body)[0] == 200
    assert library.person("Ann Example").faces == 4


@pytest.mark.parametrize(("answer", "hidden"), [("hide", True), ("not_sure", False)])
def test_a_card_can_be_hidden_or_postponed(client, library, card, answer, hidden):
    """Both take the card out of the queue; only hiding is a decision."""
    assert client.post("/api/answers", {**about(card), "answer": answer})[0] == 200
    assert card["id"] not in {question["id"] for question in client.get("/api/questions")["questions"]}
    assert library.person(card["person"]["person"]).hidden is hidden
    assert len(library.decisions.history()) == hidden


@pytest.mark.parametrize(
    "change",
    [
        {"answer": "nonsense"},
        {"name": {}},
        {"name": {"new": ""}},
        {"name": {"new": "x" * 501}},
        {"unticked": "all"},
        {"unticked": [{"face": "unknown", "as": "reject"}]},
        {"unticked": [{"face": 5, "as": "reject"}]},
        {"unticked": [{"face": "x", "as": "delete"}]},
        {"same_photo": "yes"},
        {"key": ""},
        {"seen": None},
        {"seen": -1},
        {"same_name": 1},
    ],
    ids=str,
)
def test_answers_that_do_not_fit_the_card_are_refused(client, library, card, change):
    """422, and nothing is written."""
    assert client.post("/api/answers", {**name_body(card, "Ann Example"), **change})[0] == 422
    assert library.decisions.history() == ()


def test_crops_are_jpegs_of_the_size_asked_for(client, card):
    """A face of the card, at the three sizes."""
    face = faces_of(card)[0]
    for side in (96, 192, 384):
        status, headers, body = client.request("GET", f"/crops/{face}/{side}")
        assert (status, headers["content-type"]) == (200, "image/jpeg")
        assert body.startswith(b"\xff\xd8")
        assert b"Exif" not in body
    status, _, body = client.request("GET", f"/images/{card['rows'][0]['tiles'][0]['sha256']}/1280")
    assert status == 200
    assert body.startswith(b"\xff\xd8")


def test_the_first_page_is_prepared_while_the_browser_starts(review, client):
    """Its cards are read before the browser asks for them."""
    with review.warming_up():
        pass
    seen = {question: card.shown["seen"] for question, card in review._desk._kept.items()}
    assert any(question.startswith("group-") for question in seen)
    assert client.request("GET", "/")[0] == 200
    assert {question: card.shown["seen"] for question, card in review._desk._kept.items()} == seen


def test_an_error_of_the_preparation_is_logged(review, monkeypatch, caplog):
    """The server starts all the same. The first page shows the error."""

    def fail() -> None:
        raise UsageError("The catalogue cannot be read.")

    monkeypatch.setattr(review._desk, "overview", fail)
    with review.warming_up():
        pass
    assert "The first page could not be prepared: The catalogue cannot be read." in caplog.text
    assert "Traceback" not in caplog.text
