"""The review pages in Chromium: each card by keyboard, by mouse and by touch, and undo."""

from __future__ import annotations

import pytest

from tests.web.browser import chromium, needs_chromium, signed_in

pytestmark = needs_chromium
apart = pytest.mark.parametrize("library", ["apart"], indirect=True)
SETTLE = 250
"""Milliseconds: keys are ignored for 150 after a card appears."""


def start(page) -> None:
    page.wait_for_selector("#start")
    page.keyboard.press("Enter")
    card(page)


def card(page, kind: str = "tile") -> None:
    """Wait until a card is shown and takes keys."""
    page.wait_for_selector(f"#card .{kind}")
    page.wait_for_timeout(SETTLE)


def shows(page, selector: str, text: str) -> None:
    from playwright.sync_api import expect

    expect(page.locator(selector)).to_contain_text(text, timeout=20_000)


def answered(page, text: str) -> None:
    shows(page, "#last-answer", text)
    page.wait_for_selector("#card[aria-busy=false]")
    page.wait_for_timeout(SETTLE)


def test_the_token_leaves_the_address(page):
    """The token is not in the address and not in the history."""
    assert page.url.endswith("/")
    assert page.evaluate("history.length") <= 2


def test_a_group_is_named_by_keyboard(page, library):
    """Enter, the name, Enter."""
    start(page)
    assert page.text_content("#card h1") == "Who is this?"
    assert page.text_content("#card form .text") == "Name 3 faces"
    page.keyboard.type("Ann Example")
    page.keyboard.press("Enter")
    answered(page, "Ann Example named")
    assert library.person("Ann Example").faces == 3
    assert page.text_content("#percent") == "60 %"


def test_a_held_enter_answers_once(page, library):
    """Repeated key events are ignored, and so are keys before the next card is seen."""
    start(page)
    page.keyboard.type("Ann Example")
    for _ in range(5):
        page.keyboard.down("Enter")
    page.keyboard.up("Enter")
    answered(page, "Ann Example named")
    assert len(library.decisions.history()) == 1


def test_faces_are_unticked_by_keyboard(page, library):
    """Escape leaves the field; T unticks a face, X marks the next as no face. U restores everything."""
    start(page)
    page.keyboard.type("Ann Example")
    page.keyboard.press("Escape")
    page.keyboard.press("t")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("x")
    assert page.text_content("#card form .text") == "Name 1 face"
    assert page.locator(".caption").all_text_contents()[:2] == ["not this person", "not a face"]
    page.focus("#name")
    page.keyboard.press("Enter")
    answered(page, "Ann Example named")
    assert library.person("Ann Example").faces == 1
    page.focus("#card .tile")
    page.keyboard.press("u")
    answered(page, "Undone")
    assert not library.people(named=True)
    page.focus("#card .tile")
    page.keyboard.press("Shift+U")
    answered(page, "Done again")
    assert library.person("Ann Example").faces == 1


def test_faces_are_unticked_by_mouse(page, library):
    """A click on a face, and Tick all."""
    start(page)
    page.click("#card .tile >> nth=0")
    assert page.get_attribute("#card .tile >> nth=0", "aria-checked") == "false"
    assert page.is_visible("#card .unticked")
    page.click("text=Tick all")
    assert page.get_attribute("#card .tile >> nth=0", "aria-checked") == "true"
    page.click("#card .tile >> nth=1")
    page.fill("#name", "Ann Example")
    page.click("#card form button[type=submit]")
    answered(page, "Ann Example named")
    assert library.person("Ann Example").faces == 2


def test_two_letters_offer_an_existing_name(page, library):
    """The first name is chosen; Enter joins the group with that person."""
    start(page)
    page.keyboard.type("Ann Example")
    page.keyboard.press("Enter")
    answered(page, "Ann Example named")
    page.keyboard.type("an")
    page.wait_for_selector("#names li >> nth=1")
    assert page.locator("#names li").all_text_contents() == ["Ann Example3 faces", 'New person "an"']
    page.keyboard.press("Enter")
    shows(page, "#percent", "80 %")
    assert library.person("Ann Example").faces == 4


def test_the_full_photo_opens_and_closes(page):
    """Space on a face; the box is drawn on the photo."""
    start(page)
    page.keyboard.press("Escape")
    page.keyboard.press("Space")
    page.wait_for_selector("#photo[open] .box:visible")
    box = page.locator("#photo .box").bounding_box()
    assert box["width"] > 20
    page.keyboard.press("Space")
    assert not page.is_visible("#photo")


@apart
def test_a_pair_is_answered_by_keyboard(page, library):
    """Y joins two persons, N keeps two apart, S asks later. Enter does nothing."""
    start(page)
    card(page, "side")
    assert page.text_content("#card h1") == "Are these two the same person?"
    page.keyboard.press("Enter")
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("Enter")
    page.wait_for_timeout(SETTLE)
    assert library.decisions.history() == ()
    page.keyboard.press("n")
    answered(page, "separated")
    assert [decision.verb.value for decision in library.decisions.history()] == ["apart"]
    page.keyboard.press("s")
    answered(page, "Not sure")
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("u")
    answered(page, "Undone")
    assert [decision.verb.value for decision in library.decisions.history()][-1] == "undo"


@apart
def test_a_pair_shows_both_photos_with_boxes(page):
    """One face framed on each side, and the reason."""
    start(page)
    card(page, "side")
    page.wait_for_selector("#card .side >> nth=1 >> .frame .box:visible")
    page.wait_for_selector("#card .side >> nth=0 >> .frame .box:visible")
    assert page.text_content("#card .reason").strip()
    page.click("[data-do=yes]")
    answered(page, "joined")


def test_answers_by_touch_on_a_phone(review, library):
    """390 pixels: tap a face, type a name, tap the button; nothing is wider than the screen."""
    with chromium(viewport={"width": 390, "height": 840}, has_touch=True, is_mobile=True) as context:
        page = signed_in(review, context)
        page.tap("#start")
        card(page)
        page.tap("#card .tile >> nth=0")
        assert page.get_attribute("#card .tile >> nth=0", "aria-checked") == "false"
        page.fill("#name", "Ann Example")
        page.tap("#card form button[type=submit]")
        answered(page, "Ann Example named")
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        assert page.problems == []
    assert library.person("Ann Example").faces == 2


def test_a_person_changed_elsewhere_is_shown_again(page, library):
    """The answer is not written; the card has two faces now."""
    start(page)
    face = library.review.cards()[0].person.person_id
    library.decisions.reject(library.faces(face)[0].face_id)
    library.review.refresh()
    page.keyboard.type("Ann Example")
    page.keyboard.press("Enter")
    shows(page, "#notice", "Here is the new state")
    shows(page, "#card form .text", "Name 2 faces")  # the card follows the notice
    assert page.text_content("#card form .text") == "Name 2 faces"
    assert not library.people(named=True)
    page.problems.clear()  # Chromium logs the status 409


def test_names_with_markup_are_shown_as_text(page, library):
    """No script runs and no image is loaded."""
    name = "<img src=x onerror=alert(1)>"
    start(page)
    page.keyboard.type(name)
    page.keyboard.press("Enter")
    answered(page, "named")
    assert library.person(name).faces == 3
    page.goto(page.url.replace("/review", "/"))
    page.wait_for_selector("#last li")
    assert name in page.text_content("#last")


@apart
def test_a_missing_photo_is_asked_for_once(page):
    """The cards that follow show some of the same faces. An answer is possible without a photo."""
    requests: list[str] = []

    def refuse(route) -> None:
        requests.append(route.request.url)
        route.fulfill(status=404)

    page.route("**/crops/**", refuse)
    page.route("**/images/**", refuse)
    start(page)
    card(page, "side")
    page.wait_for_selector("#card .tile.missing")
    for _ in range(2):
        page.keyboard.press("s")
        answered(page, "Not sure")
    assert requests
    assert len(requests) == len(set(requests))
    page.problems.clear()  # Chromium logs the status 404


def test_the_end_of_the_server_is_told(review, page):
    """The answer is not lost silently."""
    start(page)
    review.shutdown()
    page.wait_for_timeout(2500)
    page.keyboard.type("Ann")
    page.keyboard.press("Enter")
    shows(page, "#notice", "has ended")
    page.problems.clear()
