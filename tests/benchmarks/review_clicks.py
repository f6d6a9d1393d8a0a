"""The keys of the effort benchmark through the real pages: ``python -m tests.benchmarks.review_clicks``.

Answers the first cards of a catalogue of ``data/lfw`` twice, on two copies: in Chromium with real keys and clicks, each
counted as it is pressed, and by the API with the counts of :mod:`tests.benchmarks.review_effort`. Exits with 1 unless
keys and decisions are equal. Needs ../shared/data/lfw and Chromium.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import Any

import catalog
from catalog.app.review_values import Card
from catalog.web.review_server import ReviewServer
from tests.benchmarks.review_effort import LFW, STRICT_LINKAGE, Simulation, read_labels
from tests.web.browser import CHROMIUM, SHARED_CHROMIUM, chromium, signed_in

PAUSE = 250
"""Milliseconds: the pages ignore keys for 150 after a card appears."""


@dataclass
class Browser:
    """A user at the pages, who knows the labels. ``keys``: presses and clicks beyond the letters of a new name."""

    page: Any
    library: catalog.Catalog
    simulation: Simulation
    keys: int = 0

    def press(self, key: str) -> None:
        self.page.keyboard.press(key)
        self.keys += 1

    def click(self, selector: str) -> None:
        self.page.click(selector)
        self.keys += 1

    def answer(self, card: Card) -> None:
        """Answer the card that the page shows, which is this one."""
        self.page.wait_for_selector("#card[aria-busy=false] h1")
        self.page.wait_for_selector("#card .tile")
        self.page.wait_for_timeout(PAUSE)
        seen, last = self.library.review.seen(), self.page.text_content("#last-answer")
        label, others = self.simulation.label_of(card.person.person_id)
        if card.kind == "group":
            self._group(label, others)
        else:
            self._tiles(card, label)
        for _ in range(300):
            if self.library.review.seen() > seen or self.page.text_content("#last-answer") != last:
                return
            self.page.wait_for_timeout(50)
        raise SystemExit(f"no answer to {card.id}: {self.page.text_content('#notice')}")

    def _group(self, label: str | None, others: list[str]) -> None:
        if label is None:
            self.press("Escape")  # from the name field to the faces
            self.press("h")
            return
        for face in others:
            self.click(f'#card .tile[data-face="{face}"]')
        self.page.focus("#name")
        if label in self.simulation.id_by_name:
            for letter in label[:2]:
                self.press(letter)
            self._choose(label)
        else:
            self.page.keyboard.type(label)
            self._choose(f'New person "{label}"')
        self.press("Enter")

    def _choose(self, text: str) -> None:
        """Wait for the list of names. A name that is not preselected costs a key for each step to it."""
        self.page.wait_for_function(
            "text => [...document.querySelectorAll('#names li')].some((item) => item.textContent.startsWith(text))",
            arg=text,
        )
        names = self.page.locator("#names li").all_text_contents()
        wanted = next(number for number, name in enumerate(names) if name.startswith(text))
        for _ in range(wanted):
            self.press("ArrowDown")

    def _tiles(self, card: Card, label: str | None) -> None:
        verdicts = []
        for tile in card.tiles:
            face = tile.face.face_id
            known = self.simulation.label_of(tile.person_id)[0] if tile.person_id else self.simulation.labels.get(face)
            verdicts.append((face, known, known is not None and known == label, tile.chance >= 0.5))
        if card.kind == "pair":
            _, known, is_yes, _ = verdicts[0]
            self.page.evaluate("document.activeElement.blur()")
            self.press("s" if None in (known, label) else "y" if is_yes else "n")
            return
        for face, _, is_yes, is_ticked in verdicts:
            if is_yes != is_ticked:
                self.click(f'#card .tile[data-face="{face}"]')
        self.page.evaluate("document.activeElement.blur()")
        self.press("Enter")


def decisions(library: catalog.Catalog) -> list[tuple[object, ...]]:
    """The verbs with persons and names, without times."""
    return [
        (decision.verb, decision.person_id, decision.other_person_id, decision.name)
        for decision in library.decisions.history()
    ]


def _print_difference(library: catalog.Catalog, other: catalog.Catalog) -> None:
    """The first decisions in which both copies differ."""
    for number, (one, two) in enumerate(zip_longest(decisions(library), decisions(other))):
        if one != two:
            print(f"decision {number}: {one} in Chromium, {two} counted")
            return
    print("the decisions are equal")


def compare(database: Path, copy: Path, cards: int, settings: dict[str, object]) -> int:
    """Answer so many cards in both ways. Returns 1 if keys or decisions differ."""
    with catalog.open(database, settings=settings) as library, catalog.open(copy, settings=settings) as other:
        labels = read_labels(database)
        expected = Simulation(other, labels)
        server = ReviewServer(library)
        with server.in_background(), chromium(viewport={"width": 1200, "height": 900}) as context:
            page = signed_in(server, context)
            page.click("#start")
            browser = Browser(page, library, Simulation(library, labels))
            kinds: dict[str, int] = {}
            for number in range(cards):
                (card,) = library.review.cards(1)
                (other_card,) = other.review.cards(1)
                if card.id != other_card.id:
                    print(
                        f"card {number}: {card.id} after the answers in Chromium, {other_card.id} after those counted"
                    )
                    _print_difference(library, other)
                    return 1
                kinds[card.kind] = kinds.get(card.kind, 0) + 1
                before = browser.keys, expected.keys
                expected.answer(other_card)
                browser.answer(card)
                browser.simulation.id_by_name = dict(expected.id_by_name)
                pressed, counted = browser.keys - before[0], expected.keys - before[1]
                if pressed != counted:
                    print(f"card {number} ({card.kind}): {pressed} keys in Chromium, {counted} counted")
            page.wait_for_timeout(PAUSE)
        print(f"{cards} cards {kinds}: {browser.keys} keys in Chromium, {expected.keys} counted")
        are_equal = decisions(library) == decisions(other)
        print(f"decisions: {len(decisions(library))}, {'equal' if are_equal else 'NOT EQUAL'}")
        return int(browser.keys != expected.keys or not are_equal)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--catalogue", type=Path, help="a catalogue of data/lfw; default: scan it")
    parser.add_argument("--cards", type=int, default=50)
    parser.add_argument("--strict", action="store_true", help="group again first, so that there are pairs and grids")
    arguments = parser.parse_args()
    if not LFW.is_dir() or CHROMIUM is None:
        print(f"skipped: {LFW} and Chromium are needed")
        return 0
    settings: dict[str, object] = {"identities.linkage_threshold": STRICT_LINKAGE} if arguments.strict else {}
    with tempfile.TemporaryDirectory() as folder:
        database, copy = Path(folder) / "catalog.sqlite3", Path(folder) / "copy.sqlite3"
        if arguments.catalogue:
            shutil.copyfile(arguments.catalogue, database)
        with catalog.open(database, create=True, settings=settings) as library:
            if not arguments.catalogue:
                for _ in library.scan([LFW / "photos"]):
                    pass
            if arguments.strict:
                library.apply_recluster(library.recluster())
            library.review.refresh()
        shutil.copyfile(database, copy)
        try:
            return compare(database, copy, arguments.cards, settings)
        finally:
            SHARED_CHROMIUM.close()


if __name__ == "__main__":
    sys.exit(main())
