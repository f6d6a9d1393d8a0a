"""Twenty mixed answers in Chromium and their undo, on a catalogue made by script; answers while a scan runs."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import expect

import catalog
from catalog.web.review_server import ReviewServer
from tests.review_catalogue import decided_rows, make_catalogue
from tests.web.browser import chromium, needs_chromium, signed_in
from tests.web.conftest import PORTRAITS

pytestmark = needs_chromium
FACES, PHOTOS, SIZE = 800, 8, (600, 450)
SECONDS = 30_000
"""Milliseconds that a page may take on a busy machine."""
SETTLE = 200
"""Milliseconds: keys are ignored for 150 after a card appears."""
ANSWERS = 20


@pytest.fixture(scope="module")
def large_catalogue(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A catalogue of 800 faces, 40 persons and questions about them. Most photos are missing."""
    folder = tmp_path_factory.mktemp("large")
    make_catalogue(str(folder / "catalog.sqlite3"), folder, FACES, real_photos=PHOTOS, size=SIZE, questions=1)
    return folder / "catalog.sqlite3"


def ready(page: Any) -> str:
    """Wait for the next card and until it takes keys. Returns its title."""
    page.wait_for_selector("#card[aria-busy=false] h1")
    page.wait_for_timeout(SETTLE)
    return str(page.text_content("#card h1"))


def press(page: Any, key: str) -> None:
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press(key)


def answer(page: Any, number: int) -> str:
    """Answer the card, in another way each time. Returns the kind of answer."""
    title = ready(page)
    before = page.text_content("#last-answer")
    if title == "Who is this?":
        kind = ("name", "untick", "hide", "join")[number % 4]
        if kind == "hide":
            press(page, "h")
        else:
            if kind == "untick":
                page.click("#card .tile >> nth=1")
            page.fill("#name", "Person" if kind == "join" else f"New {number}")
            if kind == "join":
                page.wait_for_selector("#names li")
            page.press("#name", "Enter")
            line = page.locator("#card .same-photo [data-do=join-anyway]")
            if kind == "join":
                page.wait_for_function(
                    "before => document.querySelector('#last-answer').textContent !== before"
                    " || document.querySelector('#card .same-photo:not([hidden])')",
                    arg=before,
                )
                if line.is_visible():
                    line.click()
    elif title.startswith("Which"):
        kind = "grid"
        press(page, "Enter")
    else:
        kind = ("yes", "no")[number % 2]
        press(page, "y" if kind == "yes" else "n")
    return kind


def settled(page: Any, library: catalog.Catalog, seen: int) -> None:
    """Wait until an answer after the decision ``seen`` is recorded and the next card is shown.

    Two people on one photo are refused at a pair or grid: the user is then not sure.
    """
    for _ in range(600):
        if library.review.seen() > seen or "together" in (page.text_content("#notice") or ""):
            break
        page.wait_for_timeout(100)
    ready(page)


def test_twenty_mixed_answers_are_undone_one_by_one(large_catalogue: Path) -> None:
    """U twenty times gives the rows before, byte for byte; Shift+U twenty times those after."""
    with catalog.open(large_catalogue) as library:
        server = ReviewServer(library)
        before = decided_rows(large_catalogue)
        with server.in_background(), chromium(viewport={"width": 1200, "height": 900}) as context:
            page = signed_in(server, context)
            page.keyboard.press("Enter")
            kinds, recorded = [], 0
            for number in range(3 * ANSWERS):
                if recorded == ANSWERS:
                    break
                seen = library.review.seen()
                kind = answer(page, number)
                settled(page, library, seen)
                if library.review.seen() == seen:
                    press(page, "s")
                    page.wait_for_timeout(500)
                    continue
                kinds.append(kind)
                recorded += 1
            assert recorded == ANSWERS
            assert len(set(kinds)) >= 4, kinds
            after = decided_rows(large_catalogue)
            for key in ("u", "Shift+U"):
                for _ in range(ANSWERS):
                    seen = library.review.seen()
                    ready(page)
                    press(page, key)
                    settled(page, library, seen)
                    assert library.review.seen() > seen
                if key == "u":
                    undone = decided_rows(large_catalogue)
        assert {name: undone[name] == before[name] for name in before} == dict.fromkeys(before, True)
        done_again = decided_rows(large_catalogue)
        assert {name: done_again[name] == after[name] for name in after} == dict.fromkeys(after, True)


@pytest.fixture
def new_photos(tmp_path: Path) -> Path:
    """Twelve more photos of the portraits, each a little smaller."""
    folder = tmp_path / "new"
    folder.mkdir()
    for number in range(12):
        with Image.open(PORTRAITS / ("astronaut.jpg", "biden.jpg", "obama_1.jpg")[number % 3]) as image:
            image.resize((image.width - number - 1, image.height - number - 1)).save(folder / f"{number}.jpg")
    return folder


def test_answers_are_given_while_a_scan_runs(
    library: catalog.Catalog, page: Any, new_photos: Path, tmp_path: Path
) -> None:
    """Each answer is recorded once, and the faces of the scan belong to persons. (They are of known exposures.)"""
    faces_before = sum(len(library.faces(person.person_id)) for person in library.people())
    command = [
        sys.executable,
        "-m",
        "catalog",
        "scan",
        str(new_photos),
        "--database",
        str(tmp_path / "catalog.sqlite3"),
    ]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, env=os.environ) as scan:
        page.keyboard.press("Enter")
        for name in ("Ann Example", "Bob Example"):
            ready(page)
            page.fill("#name", name)
            page.press("#name", "Enter")
            expect(page.locator("#last-answer")).to_contain_text(f"{name} named", timeout=SECONDS)
        assert scan.wait(120) == 0
    assert [decision.name for decision in library.decisions.history()] == ["Ann Example", "Bob Example"]
    assert sum(len(library.faces(person.person_id)) for person in library.people()) > faces_before
    assert {person.name for person in library.people(named=True)} == {"Ann Example", "Bob Example"}
