"""The pages around the queue in Chromium: by keyboard, by mouse and by touch, two windows, and accessibility."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from tests.web.browser import chromium, needs_chromium, signed_in
from tests.web.conftest import PORTRAITS

pytestmark = needs_chromium
SECONDS = 20_000
"""Milliseconds that a page may take on a busy machine."""
COLOR_RULES = ("color-contrast", "link-in-text-block")
"""The rules of axe-core about colors that it has switched on."""


@pytest.fixture
def ann(library):
    """The man on three photos, with a name. Tests name him before the page opens, because a change reloads the page."""
    person = next(person for person in library.people() if person.faces == 3)
    library.decisions.name(person.person_id, "Ann Example")
    library.review.refresh()
    return person.person_id


def visit(page, review, path):
    page.goto(f"http://{review.host}{path}")
    page.wait_for_load_state()


def shows(page, selector, text):
    expect(page.locator(selector)).to_contain_text(text, timeout=SECONDS)


def test_faces_are_picked_and_moved_by_keyboard(ann, page, review, library):
    """T picks, M asks for the person, Enter moves; the notice offers an undo, and U undoes."""
    visit(page, review, f"/people/{ann}")
    page.focus(".tile >> nth=0")
    page.keyboard.press("t")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("t")
    shows(page, "#picked", "2 faces picked.")
    shows(page, "#picked", "Ann Example keeps 1.")
    page.keyboard.press("m")
    page.wait_for_selector("#who[open]")
    page.keyboard.type("Bob Example")
    page.wait_for_selector("#who-names li")
    page.keyboard.press("Enter")
    shows(page, "#notice", "2 faces moved to Bob Example")
    assert library.person("Bob Example").faces == 2
    assert library.person(ann).name == "Ann Example"
    page.keyboard.press("u")
    shows(page, "#notice", "Undone")
    assert library.person(ann).faces == 3


def test_a_face_is_split_off_by_mouse(ann, page, review, library):
    """A click picks; a second click of another tile adds to the picks; Clear empties them."""
    visit(page, review, f"/people/{ann}")
    page.click(".tile >> nth=0")
    page.click(".tile >> nth=1")
    page.click("text=Clear")
    assert not page.is_visible("#picked")
    page.click(".tile >> nth=2")
    page.click("text=Split off as a new person")
    shows(page, "#notice", "1 face split off")
    assert library.person(ann).faces == 2


def test_renaming_a_person_and_naming_a_face_are_two_gestures(ann, page, review, library):
    """R renames the person with all faces. The menu of a face on its photo changes this face alone."""
    visit(page, review, f"/people/{ann}")
    page.keyboard.press("r")
    page.wait_for_selector("#who[open]")
    shows(page, "#who-note", "All 3 faces get the new name.")
    page.fill("#who-name", "Anna Example")
    page.wait_for_selector("#who-names li")
    page.keyboard.press("Enter")
    shows(page, "h1", "Anna Example")
    assert library.person(ann).faces == 3
    visit(page, review, f"/photos/{library.faces(ann)[0].sha256}")
    page.click(".faces summary")
    page.click("text=This face is…")
    shows(page, "#who-note", "Only this face changes.")
    page.fill("#who-name", "Bob Example")
    page.wait_for_selector("#who-names li")
    page.keyboard.press("Enter")
    shows(page, "#notice", "1 face moved to Bob Example")
    assert (library.person(ann).name, library.person(ann).faces) == ("Anna Example", 2)


def test_a_box_on_a_photo_leads_to_the_person(ann, page, review, library):
    """By a click."""
    visit(page, review, f"/photos/{library.faces(ann)[0].sha256}")
    page.click("svg a >> nth=0")
    page.wait_for_url(f"**/people/{ann}")


def test_the_same_name_asks_before_it_is_given(ann, page, review, library):
    """Two people of one name need a second answer."""
    other = next(person.person_id for person in library.people(named=False))
    visit(page, review, f"/people/{other}")
    page.keyboard.press("r")
    page.fill("#who-name", "Ann Example")
    page.wait_for_selector("#who-names li >> nth=1")
    page.click('#who-names >> text=New person "Ann Example"')
    shows(page, "#who .insist", 'Another person is named "Ann Example".')
    assert library.person(other).name is None
    page.click("#who-insist")
    shows(page, "#notice", "named")
    assert len(library.namesakes("Ann Example")) == 2
    page.problems.clear()  # Chromium logs the status 409


def test_strangers_are_hidden_by_touch_on_a_phone(review, library, ann):
    """390 pixels; one undo brings them back; no page is wider than the screen."""
    with chromium(viewport={"width": 390, "height": 840}, has_touch=True, is_mobile=True) as context:
        page = signed_in(review, context)
        visit(page, review, "/strangers")
        page.tap("[data-do=hide-strangers]")
        shows(page, "#notice", "2 people hidden")
        assert len(library.people()) == 1
        page.tap("#notice button")
        shows(page, "#notice", "Undone")
        assert len(library.people()) == 3
        for path in ("/people", f"/people/{ann}", "/photos", "/history", "/watch", "/employees", "/find"):
            visit(page, review, path)
            assert page.evaluate("document.documentElement.scrollWidth") <= 390, path
        assert page.problems == []


def test_a_watch_hit_is_confirmed_and_dismissed_by_keyboard(page, review, library):
    """C and D decide the first hit; S puts it last."""
    library.watch_list.add("Suspect", [PORTRAITS / "obama_1.jpg"], threshold=90)
    first, second, _ = reversed(library.watch_list.check())
    visit(page, review, "/watch")
    page.keyboard.press("s")
    assert page.get_attribute("section.hit >> nth=0", "data-hit") != page.get_attribute(
        "section.hit >> nth=2", "data-hit"
    )
    page.reload()
    page.keyboard.press("c")
    shows(page, "#notice", "Hit confirmed")
    page.keyboard.press("d")
    shows(page, "#notice", "Hit dismissed")
    assert {hit.state for hit in library.watch_list.hits()} == {"open", "confirmed", "dismissed"}
    assert len({first.number, second.number}) == 2


def test_a_chosen_photo_finds_its_person(ann, page, review):
    """The result links to the person."""
    visit(page, review, "/find")
    page.set_input_files("#file", str(PORTRAITS / "obama_2.jpg"))
    shows(page, "#found-people", "Ann Example")
    page.click("#found-people a")
    page.wait_for_url(f"**/people/{ann}")


def test_a_search_by_name_lists_people(ann, page, review):
    """The slash focuses the field; Enter searches."""
    visit(page, review, "/")
    page.keyboard.press("/")
    page.keyboard.type("exam")
    page.keyboard.press("Enter")
    page.wait_for_url("**/people?q=exam")
    shows(page, ".people", "Ann Example")


def test_history_undoes_a_group_and_what_builds_on_it(ann, page, review, library):
    """The first press names the later answer, the second undoes both."""
    library.decisions.name(ann, "Anna Example")
    visit(page, review, "/history")
    page.click("[data-undo] >> nth=1")
    shows(page, "#notice", 'Cannot be undone before: "Anna Example named".')
    page.click("#notice button")
    shows(page, "#notice", "2 answers undone")
    assert library.person(ann).name is None
    page.problems.clear()  # Chromium logs the status 409


def test_a_card_answered_in_another_window_is_replaced(page, review, library):
    """Within seconds, by an event; the other card stays as it is."""
    visit(page, review, "/review")
    shows(page, "#card form .text", "Name 3 faces")
    page.wait_for_timeout(1500)
    library.decisions.name(next(person.person_id for person in library.people() if person.faces == 3), "Ann")
    library.review.refresh()
    shows(page, "#notice", "Already answered in another window.")
    shows(page, "#card form .text", "Name 1 face")


def test_no_page_has_a_serious_accessibility_problem(review, library, ann):
    """axe-core on every page, with the name dialog open too. The dark scheme changes colors only."""
    library.watch_list.add("Suspect", [PORTRAITS / "obama_1.jpg"], threshold=90)
    library.watch_list.check()
    library.employees.enroll("E-17", [PORTRAITS / "biden.jpg"])
    photo = library.faces(ann)[0].sha256
    paths = ["/", "/review", "/people", f"/people/{ann}", f"/people/{ann}/time", f"/people/{ann}/together", "/photos"]
    paths += [f"/photos/{photo}", "/albums", "/expressions", "/strangers", "/history", "/watch", "/employees", "/find"]
    problems = []
    # axe-core is injected by the driver, which the policy of the pages refuses.
    with chromium(bypass_csp=True, viewport={"width": 1200, "height": 900}) as context:
        page = signed_in(review, context)
        for path in paths:
            page.emulate_media(color_scheme="light")
            visit(page, review, path)
            problems += [("light", path, *problem) for problem in serious(page)]
            page.emulate_media(color_scheme="dark")
            problems += [("dark", path, *problem) for problem in serious(page, *COLOR_RULES)]
        visit(page, review, f"/people/{ann}")
        page.keyboard.press("r")
        page.wait_for_selector("#who[open]")
        problems += serious(page)
    assert problems == []


def serious(page, *rules):
    """Violations of these rules of axe-core, or of all that it has switched on."""
    options = {"resultTypes": ["violations"]}
    if rules:
        options["runOnly"] = {"type": "rule", "values": rules}
    violations = Axe().run(page, options=options).response["violations"]
    return [
        (violation["id"], violation["nodes"][0]["html"])
        for violation in violations
        if violation["impact"] in ("serious", "critical")
    ]
