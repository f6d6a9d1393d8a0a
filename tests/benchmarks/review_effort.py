"""Answers and keys that naming the people of ``data/lfw`` takes, with answers from ``people.csv``.

``python -m tests.benchmarks.review_effort [--catalogue FILE] [--answers N]`` (needs ../shared/data/lfw). The photos are
scanned, or the catalogue of an earlier scan is copied. An *answer* is one completed card. A *key* is a key press or
click beyond the letters of a new name: a new name costs 1, an existing name 3, hiding 2, a pair 1, a grid 1 and 1 for
each tile to toggle, a face to untick 1. A face counts as named if its person carries the name that ``people.csv`` gives
to the centre face of the photo.
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
from pathlib import Path

import catalog
from catalog.app.review_values import Card, Choice, ReviewAnswer
from catalog.domain.content_hash import sha256_of
from catalog.domain.errors import PersonError

LFW = Path(__file__).parents[3] / "shared" / "data" / "lfw"
THRESHOLDS = {50: 27.5, 250: 54.0, 500: 69.0, 1000: 83.0}
"""Lowest percentage of labeled faces named after so many answers."""
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
    pairs: Counter[str] = field(default_factory=Counter)
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
                self.pairs["unknown" if tile_label is None or label is None else "yes" if is_yes else "no"] += 1
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
        query = "SELECT face.face_id, people.name FROM v1_faces face JOIN v1_people people USING (person_id)"
        with closing(sqlite3.connect(database)) as connection:
            named = connection.execute(f"{query} WHERE people.name IS NOT NULL")
            return {face_id for face_id, name in named if self.labels.get(face_id) == name}


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


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--catalogue", type=Path, help="a catalogue of data/lfw; default: scan it")
    parser.add_argument("--answers", type=int, default=1000)
    arguments = parser.parse_args()
    if not LFW.is_dir():
        print(f"skipped: {LFW} is needed")
        return 0
    with tempfile.TemporaryDirectory() as folder:
        database = Path(folder) / "catalog.sqlite3"
        if arguments.catalogue:
            shutil.copyfile(arguments.catalogue, database)
        with catalog.open(database, create=True) as library:
            if not arguments.catalogue:
                for _ in library.scan([LFW / "photos"]):
                    pass
            library.review.refresh()
            return simulate(library, database, arguments.answers)


def simulate(library: catalog.Catalog, database: Path, answers: int) -> int:
    """Answer cards, print the shares, and return 1 if a threshold is missed."""
    simulation = Simulation(library, read_labels(database))
    faces_of: dict[str, set[str]] = defaultdict(set)
    for face_id, label in simulation.labels.items():
        faces_of[label].add(face_id)
    frequent = {face for faces in faces_of.values() if len(faces) >= 10 for face in faces}
    reached: dict[float, int] = {}
    failed = False
    errors = []
    forecast = 0
    while simulation.answers < answers and (cards := library.review.cards(1)):
        if simulation.answers % 10 == 0:
            status = library.review.status()
            if simulation.answers:
                errors.append(100 * abs(status.named - forecast) / max(status.faces, 1))
            forecast = status.forecast
            named = simulation.named(database)
            share = len(named & frequent) / max(len(frequent), 1)
            for level in (0.8, 0.95):
                if share >= level:
                    reached.setdefault(level, simulation.answers)
            count = simulation.answers
            if count in THRESHOLDS or count == 100:
                percent = 100 * len(named) / len(simulation.labels)
                print(
                    f"{count:5} answers: {percent:5.1f} % named, {simulation.keys / count:.2f} keys an answer",
                    flush=True,
                )
                failed |= percent < THRESHOLDS.get(count, 0.0)
        simulation.answer(cards[0])
    named = simulation.named(database)
    percent = 100 * len(named) / len(simulation.labels)
    print(f"{simulation.answers:5} answers: {percent:5.1f} % named, {simulation.keys} keys")
    print(f"people with 10 photos or more: 80 % after {reached.get(0.8)} answers, 95 % after {reached.get(0.95)}")
    print(f"pair questions: {dict(simulation.pairs)}; forecast error {sum(errors) / max(len(errors), 1):.2f} points")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
