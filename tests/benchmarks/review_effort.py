"""Answers and keys that naming the people of ``data/lfw`` takes, with answers from ``people.csv``.

``python -m tests.benchmarks.review_effort [plain] [strict] [album]`` (needs ../shared/data/lfw). ``plain``: the photos
as they are scanned, or a copy of the catalogue ``--catalogue`` of an earlier scan. ``strict``: the same, grouped again
with a higher linkage threshold, so that 375 people are several groups. ``album``: 400 photos of 12 people.

An *answer* is one completed card. A *key* is a key press or click beyond the letters of a new name: a new name costs 1,
an existing name 3, hiding 2, a pair 1, a grid 1 and 1 for each tile to toggle, a face to untick 1. The 2 of an existing
name are its two letters. A face counts as named if its person carries the name that ``people.csv`` gives to the centre
face of the photo. Exits with 1 if a limit is missed.
"""

from __future__ import annotations

import argparse
import csv
import shutil
import sqlite3
import sys
import tempfile
from collections import Counter, defaultdict
from contextlib import closing
from dataclasses import dataclass, field
from itertools import zip_longest
from pathlib import Path

import catalog
from catalog.app.review_values import Card, Choice, ReviewAnswer
from catalog.domain.content_hash import sha256_of
from catalog.domain.errors import PersonError

LFW = Path(__file__).parents[3] / "shared" / "data" / "lfw"
THRESHOLDS = {50: 27.5, 250: 54.0, 500: 69.0, 1000: 83.0}
"""Lowest percentage of labeled faces named after so many answers."""
FREQUENT = 10
"""People with at least so many photos are counted apart."""
STRICT_LINKAGE = 0.52
ALBUM_PEOPLE, ALBUM_PHOTOS = 12, 400
ALIASES = {"Hassan_Wirayuda": "Hassan_Wirajuda", "John_Gruden": "Jon_Gruden"}
"""People that the file spells twice."""


@dataclass
class Simulation:
    """A user who knows the label of every centre face and answers every card."""

    library: catalog.Catalog
    labels: dict[str, str]
    """Label by face id, of centre faces only."""
    keys: int = 0
    answers: int = 0
    verdicts: list[str] = field(default_factory=list)
    """yes, no or unknown for each pair question, in the order in which they were asked."""
    id_by_name: dict[str, str] = field(default_factory=dict)
    person_by_face: dict[str, str] = field(default_factory=dict)

    def label_of(self, person_id: str) -> tuple[str | None, list[str]]:
        """The most frequent label of a person, and the face ids that carry another label."""
        labels = {face.face_id: self.labels.get(face.face_id) for face in self.library.faces(person_id)}
        counts = Counter(label for label in labels.values() if label is not None)
        if not counts:
            return None, []
        label = counts.most_common(1)[0][0]
        return label, [face_id for face_id, face_label in labels.items() if face_label not in (None, label)]

    def answer(self, card: Card) -> None:
        """Answer one card as the labels say."""
        self.answers += 1
        key = f"answer-{self.answers}"
        person = card.person.person_id
        label, other_faces = self.label_of(person)
        if card.kind == "group":
            self._answer_group(key, card, label, other_faces)
            return
        choices = []
        for tile in card.tiles:
            tile_label = self.label_of(tile.person_id)[0] if tile.person_id else self.labels.get(tile.face.face_id)
            is_yes = tile_label is not None and tile_label == label
            if card.kind == "pair":
                self.verdicts.append("unknown" if None in (tile_label, label) else "yes" if is_yes else "no")
                if tile_label is None or label is None:
                    self.keys += 1
                    self.library.review.skip(card)
                    return
            target = tile.person_id or tile.face.face_id
            yes, no = ("merge", "separate") if tile.person_id else ("confirm", "reject")
            choices.append(Choice(target, yes if is_yes else no))  # type: ignore[arg-type]
            if card.kind == "grid" and is_yes != (tile.chance >= 0.5):
                self.keys += 1
        self.keys += 1
        self._record(ReviewAnswer(key, person, card.seen, choices=tuple(choices)), card)

    def _answer_group(self, key: str, card: Card, label: str | None, other_faces: list[str]) -> None:
        person = card.person.person_id
        if label is None:
            self.keys += 2
            self._record(ReviewAnswer(key, person, card.seen, choices=(Choice(person, "hide"),)), card)
            return
        rejected = tuple(Choice(face_id, "reject") for face_id in other_faces)
        self.keys += len(rejected)
        if label in self.id_by_name:
            self.keys += 3
            self._record(ReviewAnswer(key, person, card.seen, into=self.id_by_name[label], choices=rejected), card)
        else:
            self.keys += 1
            self._record(ReviewAnswer(key, person, card.seen, name=label, choices=rejected), card)
            self.id_by_name[label] = person

    def _record(self, answer: ReviewAnswer, card: Card) -> None:
        try:
            self.library.review.answer(answer)
        except PersonError:  # both persons are on one photo: the user says not sure
            self.library.review.skip(card)

    def named(self, database: Path) -> set[str]:
        """Ids of the centre faces whose person carries their label."""
        query = """SELECT face.face_id, person.name FROM persons AS person
            JOIN assignments AS assigned ON assigned.person_id = person.id
            JOIN faces AS face ON face.id = assigned.face_id WHERE person.name IS NOT NULL"""
        with closing(sqlite3.connect(database)) as connection:
            return {face_id for face_id, name in connection.execute(query) if self.labels.get(face_id) == name}


def read_labels(database: Path) -> dict[str, str]:
    """The label of each photo's centre face, by face id."""
    with (LFW / "people.csv").open(newline="") as file:
        label_by_sha = {
            sha256_of((LFW / "photos" / row["photo"]).read_bytes()): ALIASES.get(row["person"], row["person"])
            for row in csv.DictReader(file)
        }
    best: dict[str, tuple[float, str]] = {}
    query = "SELECT photo_sha256, face_id, box_left + box_width / 2, box_top + box_height / 2 FROM v1_faces"
    with closing(sqlite3.connect(database)) as connection:
        for sha256, face_id, x, y in connection.execute(query):
            distance = ((x - 0.5) ** 2 + (y - 0.5) ** 2, face_id)
            best[sha256] = min(best.get(sha256, distance), distance)
    return {face_id: label_by_sha[sha256] for sha256, (_, face_id) in best.items() if sha256 in label_by_sha}


@dataclass
class Figures:
    """Results of one simulation. Shares are percentages of all labeled faces, by number of answers."""

    shares: dict[int, float] = field(default_factory=dict)
    keys: dict[int, int] = field(default_factory=dict)
    frequent: dict[int, int] = field(default_factory=dict)
    """Answers until so many percent of the faces of people with 10 photos or more are named."""
    all_faces: dict[int, int] = field(default_factory=dict)
    """Answers until so many percent of all labeled faces are named."""
    errors: list[float] = field(default_factory=list)
    """Points between the forecast of ten answers and their result."""

    @property
    def forecast_error(self) -> float:
        return sum(self.errors) / max(len(self.errors), 1)


def simulate(library: catalog.Catalog, database: Path, answers: int) -> tuple[Simulation, Figures]:
    """Answer cards until none is left, or so many, and print the shares from time to time."""
    simulation, figures = Simulation(library, read_labels(database)), Figures()
    faces_of: dict[str, set[str]] = defaultdict(set)
    for face_id, label in simulation.labels.items():
        faces_of[label].add(face_id)
    frequent = {face for faces in faces_of.values() if len(faces) >= FREQUENT for face in faces}
    forecast = 0
    while simulation.answers < answers and (cards := library.review.cards(1)):
        count = simulation.answers
        named = simulation.named(database)
        percent = 100 * len(named) / len(simulation.labels)
        figures.shares[count], figures.keys[count] = percent, simulation.keys
        for level in (80, 95, 100):
            if 100 * len(named & frequent) >= level * max(len(frequent), 1):
                figures.frequent.setdefault(level, count)
            if percent >= level:
                figures.all_faces.setdefault(level, count)
        if count % 10 == 0:
            status = library.review.status()
            if count:
                figures.errors.append(100 * abs(status.named - forecast) / max(status.faces, 1))
            forecast = status.forecast
        if count in (50, 100) or (count and count % 250 == 0):
            print(
                f"  {count:5} answers: {percent:5.1f} % named, {simulation.keys / count:.2f} keys an answer", flush=True
            )
        simulation.answer(cards[0])
    count = simulation.answers
    named = simulation.named(database)
    figures.shares[count], figures.keys[count] = 100 * len(named) / len(simulation.labels), simulation.keys
    print(f"  {count:5} answers: {figures.shares[count]:5.1f} % named, {simulation.keys} keys")
    print(f"  people with 10 photos or more, answers by percent of their faces: {figures.frequent}")
    print(f"  all people, answers by percent of the faces: {figures.all_faces}")
    verdicts = simulation.verdicts
    print(f"  pair questions: {dict(Counter(verdicts))}; of the first 100: {dict(Counter(verdicts[:100]))}")
    print(f"  error of the forecast: {figures.forecast_error:.2f} points on average")
    return simulation, figures


class Limits:
    """Compares figures with limits and prints those that are missed."""

    def __init__(self) -> None:
        self.failed = False

    def at_most(self, name: str, value: float | None, limit: float) -> None:
        self._note(name, value, value is not None and value <= limit, f"at most {limit}")

    def at_least(self, name: str, value: float | None, limit: float) -> None:
        self._note(name, value, value is not None and value >= limit, f"at least {limit}")

    def _note(self, name: str, value: float | None, is_met: bool, limit: str) -> None:
        self.failed |= not is_met
        shown = "never" if value is None else f"{value:.4g}"
        print(f"  {'ok    ' if is_met else 'MISSED'} {name}: {shown}, {limit}")


def plain(library: catalog.Catalog, database: Path, limits: Limits, answers: int) -> None:
    """The photos as they are scanned."""
    simulation, figures = simulate(library, database, answers)
    for count, percent in THRESHOLDS.items():
        if count <= answers:
            limits.at_least(f"percent named after {count} answers", figures.shares.get(count), percent)
    for count, keys in ((250, 1.15), (1000, 1.3)):
        if count in figures.keys:
            limits.at_most(f"keys an answer over the first {count}", figures.keys[count] / count, keys)
    limits.at_most("answers to 80 % of the faces of frequent people", figures.frequent.get(80), 58)
    limits.at_most("answers to 95 % of the faces of frequent people", figures.frequent.get(95), 82)
    known = [verdict for verdict in simulation.verdicts if verdict != "unknown"]
    if known:  # the queue asks them late
        yes_percent = 100 * known.count("yes") / len(known)
        limits.at_least("percent of pair questions with a known answer that are yes", yes_percent, 80)
    limits.at_most("points of error of the forecast", figures.forecast_error, 1)


def strict(library: catalog.Catalog, database: Path, limits: Limits, answers: int) -> None:
    """The same faces, grouped again with a higher linkage threshold."""
    library.apply_recluster(library.recluster())
    library.review.refresh()
    simulation, figures = simulate(library, database, answers)
    for count in (100, 200):
        first = simulation.verdicts[:count]
        if first:
            percent = 100 * first.count("yes") / len(first)
            limits.at_least(f"percent yes among the first {count} pair questions, of {len(first)}", percent, 94)
    limits.at_most("answers to 95 % of the faces of frequent people", figures.frequent.get(95), 170)
    if answers >= 1350:
        limits.at_most("answers to 80 % of all faces", figures.all_faces.get(80), 1350)
    limits.at_most("points of error of the forecast", figures.forecast_error, 1)


def album(library: catalog.Catalog, database: Path, limits: Limits, _answers: int) -> None:
    """400 photos of 12 people."""
    _, figures = simulate(library, database, 60)
    answers = figures.frequent.get(100)
    limits.at_most("answers until every face is named", answers, 30)
    limits.at_most("keys until every face is named", None if answers is None else figures.keys[answers], 60)


def album_photos() -> list[Path]:
    """The photos of the album: of the 12 people with most photos, in turn."""
    by_person: dict[str, list[Path]] = defaultdict(list)
    with (LFW / "people.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            by_person[ALIASES.get(row["person"], row["person"])].append(LFW / "photos" / row["photo"])
    people = sorted(by_person.values(), key=len, reverse=True)[:ALBUM_PEOPLE]
    in_turn = [photo for turn in zip_longest(*people) for photo in turn if photo is not None]
    return in_turn[:ALBUM_PHOTOS]


def run(name: str, arguments: argparse.Namespace, limits: Limits) -> None:
    """Make the catalogue of one scenario and answer its cards."""
    settings = {"identities.linkage_threshold": STRICT_LINKAGE} if name == "strict" else {}
    with tempfile.TemporaryDirectory() as folder:
        database = Path(folder) / "catalog.sqlite3"
        photos = LFW / "photos"
        if name == "album":
            photos = Path(folder) / "album"
            photos.mkdir()
            for photo in album_photos():
                shutil.copyfile(photo, photos / photo.name)
        elif arguments.catalogue:
            shutil.copyfile(arguments.catalogue, database)
        with catalog.open(database, create=True, settings=settings) as library:
            if name == "album" or not arguments.catalogue:
                for _ in library.scan([photos]):
                    pass
            library.review.refresh()
            {"plain": plain, "strict": strict, "album": album}[name](library, database, limits, arguments.answers)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("scenarios", nargs="*", metavar="plain|strict|album")
    parser.add_argument("--catalogue", type=Path, help="a catalogue of data/lfw; default: scan it")
    parser.add_argument("--answers", type=int, default=1000)
    arguments = parser.parse_args()
    if not LFW.is_dir():
        print(f"skipped: {LFW} is needed")
        return 0
    limits = Limits()
    for name in arguments.scenarios or ["plain"]:
        print(f"{name}:")
        run(name, arguments, limits)
    return int(limits.failed)


if __name__ == "__main__":
    sys.exit(main())
