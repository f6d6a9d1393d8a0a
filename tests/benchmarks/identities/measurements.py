"""The measurements of this package, by name."""

from __future__ import annotations

import csv
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
from sqlalchemy import update

from catalog.app.grouping_rules import rules_of
from catalog.app.settings import load_settings
from catalog.identities.assignment.assign_people import assign_people
from catalog.identities.assignment.gallery_clustering import GroupingRules
from catalog.identities.clustering.demographics import NEVER
from catalog.store.tables import photos
from tests.benchmarks.identities.library import NOW, SHARED, Library, Listing, scanned, score
from tests.benchmarks.identities.over_http import album_of, billed_nights_over_http, billed_over_http, left_company
from tests.benchmarks.identities.scale import measure_scale

LFW = SHARED / "data" / "lfw"
SYNTHETIC = SHARED / "data" / "synthetic_people"


def shipped_rules() -> GroupingRules:
    """The rules as the product ships them."""
    return rules_of(load_settings().identities)


def settled(library: Library, engine: Any, rules: GroupingRules, scan_id: int | None) -> Any:
    return assign_people(library.database, engine, rules, gallery="catalog", scan_id=scan_id, now=NOW)


def one_shot(source: Path, work: Path, rules: GroupingRules, truth: Path) -> None:
    library = Library(source, work)
    scan_id = library.enroll(sorted(library.faces_of))
    start = perf_counter()
    result = settled(library, library.lender, rules, scan_id)
    print(f"one shot: {score(truth, library.groups(), work)}")
    print(f"  {result.persons_new} persons, conflicts {result.conflicts}, {perf_counter() - start:.1f} s")
    library.close()


def cliff(source: Path, work: Path, rules: GroupingRules, truth: Path) -> None:
    for threshold in (0.31, 0.32, 0.33, 0.34, 0.35, 0.36, 0.37, 0.38, 0.40):
        library = Library(source, work)
        scan_id = library.enroll(sorted(library.faces_of))
        settled(
            library,
            library.lender,
            replace(rules, mean_linkage=replace(rules.mean_linkage, threshold=threshold)),
            scan_id,
        )
        print(f"threshold {threshold:.2f}: {score(truth, library.groups(), work)}")
        library.close()


def nights(source: Path, work: Path, rules: GroupingRules, truth: Path, *, billed: bool, seeds: Sequence[int]) -> None:
    for seed in seeds:
        library = Library(source, work)
        engine: Any = Listing(library.lender) if billed else library.lender
        order = np.random.default_rng(seed).permutation(sorted(library.faces_of)).tolist()
        lost, deleted = 0, 0
        before: dict[str, int] = {}
        for part in np.array_split(np.array(order), 10):
            scan_id = library.enroll(part.tolist())
            if billed:
                engine.enrolled += [face for photo in part.tolist() for face in library.faces_of[photo]]
            result = settled(library, engine, rules, scan_id)
            now = library.company()
            lost += len(left_company(before, now))
            deleted += result.persons_deleted
            before = now
        calls = f", {engine.calls / library.count():.3f} searches a face" if billed else ""
        print(f"ten nights, seed {seed}{calls}: {score(truth, library.groups(), work)}")
        print(f"  faces that left company {lost}, ids deleted {deleted}, conflicts {result.conflicts}")
        library.close()


def billed(source: Path, work: Path, rules: GroupingRules, truth: Path) -> None:
    everybody = replace(rules, search=replace(rules.search, covered_similarity=100.1, workers=1))
    spared = replace(rules, search=replace(rules.search, workers=1))
    album = album_of(truth)
    for name, chosen, centers in (
        ("all of LFW", None, False),
        ("album, all faces", album, False),
        ("album, center faces", album, True),
    ):
        for label, searched in (("every face", everybody), ("cover", spared)):
            library = Library(source, work)
            shown = sorted(library.faces_of) if chosen is None else [p for p in chosen if p in library.faces_of]
            ids = [f for p in shown for f in ([library.center[p]] if centers else library.faces_of[p])]
            engine = Listing(library.lender, ids)
            settled(library, engine, searched, library.enroll_faces(ids))
            verdict = score(truth, library.groups(), work, shown)
            print(f"{name}, {label}: {engine.calls / len(ids):.3f} searches a face: {verdict}")
            library.close()


def synthetic(source: Path, work: Path, rules: GroupingRules, truth: Path) -> None:
    """Day 0 the references, days 1 to 4 one selfie each."""
    with truth.open(newline="") as file:
        rows = list(csv.DictReader(file))
    library = Library(source, work)
    first: dict[str, int] = {}
    for day in range(5):
        face_ids = [
            row["photo"]
            for row in rows
            if (row["role"] == "reference") == (day == 0)
            and (day == 0 or Path(row["photo"]).stem.endswith(f"_{day - 1}"))
        ]
        result = settled(library, library.lender, rules, library.enroll(face_ids))
        if day == 0:
            first = library.company()
        same_count = sum(library.company().get(face) == person for face, person in first.items())
        print(
            f"day {day}: {len(face_ids)} photos, {result.persons_new} new persons, {result.persons_merged} merged, "
            f"{same_count} of {len(first)} references under their first id"
        )
    print(score(truth, library.groups(), work))
    library.close()


def apparent(source: Path, work: Path, rules: GroupingRules, truth: Path) -> None:
    """One shot with every photo dated alike, as LFW's were taken within few years, with and without what faces say."""
    for name, bars in (
        ("similarity alone", NEVER),
        ("births", replace(rules.demographics, gender=100.0)),
        ("gender", replace(rules.demographics, birth_years=float("inf"))),
        ("both", rules.demographics),
    ):
        library = Library(source, work)
        with library.database.begin() as connection:
            connection.execute(update(photos).values(taken_at="2003-06-01T00:00:00.000000Z"))
        scan_id = library.enroll(sorted(library.faces_of))
        result = settled(library, library.lender, replace(rules, demographics=bars), scan_id)
        print(f"{name}: {score(truth, library.groups(), work)}")
        print(f"  {result.persons_new} persons, conflicts {result.conflicts}")
        library.close()


def main(work: Path, only: Sequence[str]) -> None:
    rules, people = shipped_rules(), LFW / "people.csv"

    def lfw() -> Path:
        return scanned(LFW / "photos", work, "lfw")

    def synthetic_people() -> Path:
        return scanned(SYNTHETIC / "photos", work, "synthetic")

    measurements: dict[str, Callable[[], None]] = {
        "one-shot": lambda: one_shot(lfw(), work, rules, people),
        "apparent": lambda: apparent(lfw(), work, rules, people),
        "cliff": lambda: cliff(lfw(), work, rules, people),
        "nights": lambda: nights(lfw(), work, rules, people, billed=False, seeds=range(5)),
        "billed": lambda: billed(lfw(), work, rules, people),
        "billed-http": lambda: billed_over_http(LFW / "photos", people, work),
        "billed-nights-http": lambda: billed_nights_over_http(LFW / "photos", people, work),
        "billed-nights": lambda: nights(lfw(), work, rules, people, billed=True, seeds=range(2)),
        "synthetic": lambda: synthetic(synthetic_people(), work, rules, SYNTHETIC / "people.csv"),
        "scale": lambda: measure_scale(work, rules, 100_000),
    }
    if unknown := set(only) - measurements.keys():
        raise SystemExit(f"No such measurement: {', '.join(sorted(unknown))}. There are: {', '.join(measurements)}.")
    work.mkdir(parents=True, exist_ok=True)
    for name, measure in measurements.items():
        if not only or name in only:
            print(f"--- {name}", flush=True)
            measure()
