"""The commands people, find-person, why, undo, watch and verify on five real portraits."""

from __future__ import annotations

import io
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from catalog.app.settings import default_database
from catalog.cli.main import run
from tests.cli.conftest import PORTRAITS, Catalog


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The portraits in a folder, and their catalogue, which is scanned once for this module."""
    folder, database = tmp_path_factory.mktemp("portraits"), tmp_path_factory.mktemp("catalogue") / "catalog.sqlite3"
    for photo in PORTRAITS.glob("*.jpg"):
        shutil.copyfile(photo, folder / photo.name)
    assert run(["scan", str(folder), "--database", str(database)]) == 0
    return folder, database


@pytest.fixture
def scanned(catalog: Catalog, library: tuple[Path, Path]) -> list[dict[str, Any]]:
    """The people of the portraits in the user's own catalogue, those on most photos first."""
    default_database().parent.mkdir(parents=True)
    shutil.copyfile(library[1], default_database())
    people: list[dict[str, Any]] = catalog("people", "list", "--json").json
    return people


def test_five_portraits_are_three_people(scanned: list[dict[str, Any]]) -> None:
    """One man is on three photos, the other two people on one each."""
    assert [row["photos"] for row in scanned] == [3, 1, 1]


def test_a_person_is_named_merged_and_all_is_undone(catalog: Catalog, scanned: list[dict[str, Any]]) -> None:
    """By id or by name. The history lists the decisions, and undo reverts the latest first."""
    first, second, third = (row["person"] for row in scanned)
    before = catalog("people", "list", "--json").out
    assert catalog("people", "name", first, "Barack").code == 0
    assert catalog("people", "merge", "Barack", second, third).code == 0
    assert [row["faces"] for row in catalog("people", "list", "--json").json] == [5]
    assert catalog("people", "show", second, "--json").json["name"] == "Barack"
    assert [row["verb"] for row in catalog("people", "history", "--json").json] == ["name", "merge", "merge"]
    for _ in range(3):
        assert catalog("undo").code == 0
    assert catalog("people", "list", "--json").out == before
    assert catalog("undo").code == 2


def test_an_unknown_or_ambiguous_name_is_a_usage_error(catalog: Catalog, scanned: list[dict[str, Any]]) -> None:
    """Exit code 2, with a message."""
    for row in scanned[:2]:
        catalog("people", "name", row["person"], "Sam")
    several = catalog("people", "show", "Sam")
    assert (several.code, "Several people" in several.err) == (2, True)
    assert catalog("people", "show", "No such name").code == 2


def test_a_rejected_face_is_assigned_again_at_once(catalog: Catalog, scanned: list[dict[str, Any]]) -> None:
    """The local engine assigns it without a scan. `why` lists the decision."""
    person = scanned[0]["person"]
    face = catalog("people", "show", person, "--json").json["faces"][0]["face"]
    assert catalog("people", "reject", face[:10]).code == 0
    explanation = catalog("why", face, "--json").json
    assert explanation["person"] not in (None, person)
    assert [row["verb"] for row in explanation["decisions"]] == ["reject"]
    assert catalog("people", "confirm", face, person).code == 0
    assert catalog("people", "recluster", "--json").json["moved"] == 0


def test_a_person_is_found_by_a_photo(catalog: Catalog, scanned: list[dict[str, Any]], tmp_path: Path) -> None:
    """Best match first, with the documented keys. --copy-to copies the photos."""
    catalog("people", "name", scanned[0]["person"], "Barack")
    result = catalog("find-person", PORTRAITS / "obama_1.jpg", "--json", "--copy-to", tmp_path / "found").json
    assert set(result["reference"]) == {"face", "box"}
    assert set(result["matches"][0]) == {
        "uri",
        "person",
        "person_id",
        "name",
        "similarity",
        "taken_at",
        "box",
        "taken_date",
    }
    assert [match["name"] for match in result["matches"]] == ["Barack"] * 3
    assert sorted(path.name for path in (tmp_path / "found").iterdir()) == [f"obama_{n}.jpg" for n in (1, 2, 3)]
    assert catalog("find-person", "--person", "Barack", "--json").json["matches"]
    by_not = catalog("find-person", PORTRAITS / "obama_1.jpg", "--not", PORTRAITS / "obama_1.jpg")
    assert (by_not.code, "No match" in by_not.out) == (0, True)
    assert catalog("find-person").code == 2


def test_forgetting_prints_a_receipt_and_cannot_be_undone(
    catalog: Catalog, scanned: list[dict[str, Any]], library: tuple[Path, Path]
) -> None:
    """The next scan does not bring the faces back."""
    person = scanned[0]["person"]
    receipt = catalog("people", "forget", person, "--yes", "--json").json
    assert (receipt["faces"], receipt["verified"]) == (3, True)
    assert catalog("people", "show", person).code == 2
    for photo in library[0].iterdir():
        photo.touch()
    assert catalog("scan", library[0]).code == 0
    assert sum(row["faces"] for row in catalog("people", "list", "--json").json) == 2


def test_the_watch_list_reports_new_hits_once(catalog: Catalog, portraits: Path, tmp_path: Path) -> None:
    """An unreviewed hit gives exit code 9, and the hook gets it as JSON. After the review the exit code is 0."""
    assert catalog("watch", "add", "Barack", PORTRAITS / "obama_1.jpg").code == 0
    assert catalog("scan", portraits).code == 0
    hits = catalog("watch", "hits", "--json", "--crops", tmp_path / "crops")
    assert hits.code == 9
    assert len(hits.json) == len(list((tmp_path / "crops").iterdir())) > 0
    assert catalog("watch", "check").code == 0
    assert catalog("watch", "dismiss", *[hit["hit"] for hit in hits.json]).code == 0
    assert catalog("watch", "hits").code == 0
    assert catalog("watch", "remove", "Barack").code == 0


def test_an_employee_is_verified(catalog: Catalog, tmp_path: Path) -> None:
    """The same man is accepted, another is not. A file of claims has an answer per line. The log holds all."""
    assert catalog("enroll", "e-1", PORTRAITS / "obama_1.jpg", "--allow-open-mouth").code == 0
    assert catalog("verify", "e-1", PORTRAITS / "obama_2.jpg").code == 0
    assert catalog("verify", "e-1", PORTRAITS / "biden.jpg").code == 9
    claims = tmp_path / "claims.csv"
    claims.write_text(f"id,photo\ne-1,{PORTRAITS / 'obama_2.jpg'}\ne-1,{PORTRAITS / 'biden.jpg'}\n")
    answers = catalog("verify", "--csv", claims, "--json")
    assert (answers.code, answers.json[0]["verdict"]) == (9, "accepted")
    assert len(catalog("audit", "--json").json_lines) == 5
    assert "5 entries of the verification log" in catalog("enroll", "e-1", "--remove").out
    assert catalog("verify", "e-1", PORTRAITS / "obama_2.jpg").code == 2


def test_a_count_of_one_is_singular(catalog: Catalog, scanned: list[dict[str, Any]]) -> None:
    """One face on one photo, one reference, one hit."""
    man, woman = scanned[0]["person"], scanned[1]["person"]
    assert ": 3 faces on 3 photos" in catalog("people", "show", man).out
    assert ": 1 face on 1 photo\n" in catalog("people", "show", woman).out
    face = catalog("people", "show", man, "--json").json["faces"][0]["face"]
    assert catalog("people", "split", man, face).out.startswith("1 face of ")
    catalog("watch", "add", "Joe", PORTRAITS / "biden.jpg")
    assert "1 reference, 0 negatives, 0 open hits" in catalog("watch", "list").out
    assert "1 new hit on" in catalog("watch", "check").err


def test_a_name_in_use_is_set_and_the_merge_command_is_printed(catalog: Catalog, scanned: list[dict[str, Any]]) -> None:
    """Two persons of one name are often one: the command that says so is on stderr, and works."""
    first, second, third = (row["person"] for row in scanned)
    assert catalog("people", "name", first, "Barack").err == ""
    answer = catalog("people", "name", second, " Barack ")
    assert (answer.code, answer.out.startswith(f'{second} is "Barack" now')) == (0, True)
    assert f"catalog people merge {first} {second}" in answer.err
    assert catalog("people", "merge", first, second).code == 0
    again = catalog("people", "merge", first, second)
    assert (again.code, f'"Barack" ({first}) and the other person are one person already' in again.err) == (2, True)
    nameless = catalog("people", "name", third, "")
    assert (nameless.code, "has no name" in nameless.err) == (2, True)
    assert [row["verb"] for row in catalog("people", "history", "--json").json] == ["name", "name", "merge"]


def test_open_hits_print_the_review_commands(catalog: Catalog, scanned: list[dict[str, Any]]) -> None:
    """The message names the commands that record the answer."""
    assert scanned
    catalog("watch", "add", "Joe", PORTRAITS / "biden.jpg")
    assert "catalog watch confirm HIT" in catalog("watch", "check").err
    assert "catalog watch confirm HIT" in catalog("watch", "hits").err


def test_an_evaluation_without_enough_labels_prints_a_remedy(catalog: Catalog, scanned: list[dict[str, Any]]) -> None:
    """Confirmed faces, or --named unless that was tried; once two are named, --named measures."""
    first, second, _ = (row["person"] for row in scanned)
    assert "--named" in catalog("evaluate").err
    without = catalog("evaluate", "--named")
    assert (without.code, "`catalog people name`" in without.err, "--named" in without.err) == (2, True, False)
    catalog("people", "name", first, "Barack")
    catalog("people", "name", second, "Eileen")
    assert catalog("evaluate", "--named", "--json").json["genuine_pairs"] == 3


def test_a_birth_date_is_shown_and_must_be_in_the_past(catalog: Catalog, scanned: list[dict[str, Any]]) -> None:
    """A day in the future is refused."""
    person = scanned[0]["person"]
    assert catalog("people", "born", person, "1961-08-04").code == 0
    assert "born 1961-08-04" in catalog("people", "show", person).out
    future = catalog("people", "born", person, "2961-08-04")
    assert (future.code, "is in the future" in future.err) == (2, True)
    assert catalog("people", "show", person, "--json").json["birth_date"] == "1961-08-04"


def test_the_new_person_of_a_face_is_printed(catalog: Catalog, scanned: list[dict[str, Any]]) -> None:
    """A rejected face names its new person, and one that a human called no face says so when asked why."""
    person = scanned[0]["person"]
    face = catalog("people", "show", person, "--json").json["faces"][0]["face"]
    answer = catalog("people", "reject", face)
    assert f"It is assigned to {catalog('why', face, '--json').json['person']}" in answer.out
    assert catalog("people", "not-a-face", face).code == 0
    assert "is not a face, decided by a user" in catalog("why", face).out
    assert catalog("undo").code == 0
    assert "is not a face" not in catalog("why", face).out


def test_forgetting_needs_a_yes(
    catalog: Catalog, scanned: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a no, and in a script that cannot answer, the person stays. The message names --yes."""
    person = scanned[0]["person"]
    monkeypatch.setattr("sys.stdin", io.StringIO("n\n"))
    answer = catalog("people", "forget", person)
    assert (answer.code, "Nothing was changed" in answer.out) == (0, True)
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    silent = catalog("people", "forget", person)
    assert (silent.code, "--yes" in silent.err) == (2, True)
    assert len(catalog("people", "show", person, "--json").json["faces"]) == 3


def test_a_claim_that_cannot_be_tried_does_not_end_the_others(catalog: Catalog, tmp_path: Path) -> None:
    """A photo that is not there, one without a face, an unknown id: each says so, the rest is answered."""
    assert catalog("enroll", "e-1", PORTRAITS / "obama_1.jpg", "--allow-open-mouth").code == 0
    Image.new("RGB", (64, 64)).save(tmp_path / "black.png")
    claims = tmp_path / "claims.csv"
    rows = [("e-1", "gone.jpg"), ("e-1", "black.png"), ("e-9", "black.png"), ("e-1", PORTRAITS / "obama_2.jpg")]
    claims.write_text("id,photo\n" + "".join(f"{claim},{photo}\n" for claim, photo in rows))
    answer = catalog("verify", "--csv", claims, "--json")
    assert (answer.code, "3 of 4 not accepted" in answer.err) == (9, True)
    assert [row["verdict"] for row in answer.json] == ["failed", "cannot tell", "failed", "accepted"]
    assert ["gone.jpg" in answer.json[0]["reasons"][0], "e-9" in answer.json[2]["reasons"][0]] == [True, True]
    logged = [json.loads(line) for line in catalog("audit", "--json").out.splitlines()[1:]]
    assert [(row["audit_entry"], row["verdict"]) for row in answer.json] == [
        (entry["entry"], entry["content"]["verdict"]) for entry in logged
    ]
    lines = catalog("verify", "--csv", claims).out.splitlines()
    assert len(lines) == 4
    assert "black.png: cannot tell if this is e-1; no similarity" in lines[1]
    assert catalog("verify", "e-1", tmp_path / "gone.jpg").code == 2
    claims.write_text("id,photo\n")
    empty = catalog("verify", "--csv", claims)
    assert (empty.code, "has no row" in empty.err) == (2, True)
    missing = catalog("verify", "--csv", tmp_path / "none.csv")
    assert (missing.code, "cannot be read" in missing.err) == (2, True)


def test_a_similar_name_is_suggested(catalog: Catalog, scanned: list[dict[str, Any]]) -> None:
    """Another case, a part or a misspelling of a name is an error with a suggestion."""
    catalog("people", "name", scanned[0]["person"], "Barack Obama")
    for written in ("barack obama", "Obama", "Barack Obana"):
        answer = catalog("people", "show", written)
        assert (answer.code, 'Did you mean "Barack Obama"?' in answer.err) == (2, True)
    assert "Did you mean" not in catalog("people", "show", "Eileen").err


def test_names_are_found_with_composed_and_decomposed_accents(catalog: Catalog, scanned: list[dict[str, Any]]) -> None:
    """Keyboards compose accented letters, and some file systems decompose them."""
    composed, decomposed = "Am\u00e9lie", "Ame\u0301lie"
    ann, bob = scanned[0]["person"], scanned[1]["person"]
    assert catalog("people", "name", ann, decomposed).code == 0
    assert catalog("people", "show", composed, "--json").json["person"] == ann
    assert "Another person has this name" in catalog("people", "name", bob, composed).err


@pytest.mark.parametrize(("name", "sentence"), [("x" * 501, "at most 500"), ("\u200b", "no readable character")])
def test_a_name_that_cannot_be_read_is_refused(
    catalog: Catalog, scanned: list[dict[str, Any]], name: str, sentence: str
) -> None:
    """By its length, or because nothing of it is seen."""
    answer = catalog("people", "name", scanned[0]["person"], name)
    assert (answer.code, sentence in answer.err) == (2, True)


@pytest.mark.parametrize("words", [["unhide", "PERSON"], ["born", "PERSON", ""]])
def test_a_decision_that_changes_nothing_is_refused(
    catalog: Catalog, scanned: list[dict[str, Any]], words: list[str]
) -> None:
    """The next undo would revert nothing."""
    person = scanned[0]["person"]
    answer = catalog("people", *[person if word == "PERSON" else word for word in words])
    assert (answer.code, "already" in answer.err) == (2, True)
    assert catalog("people", "history", "--json").json == []


def test_the_decisions_of_an_import_are_one_line_that_can_be_opened(
    catalog: Catalog, scanned: list[dict[str, Any]], tmp_path: Path
) -> None:
    """And one undo reverts them together."""
    names = tmp_path / "names.csv"
    names.write_text("person_id,name\n" + "".join(f"{row['person']},Name {n}\n" for n, row in enumerate(scanned)))
    assert catalog("import", "csv", names).code == 0
    (line,) = catalog("people", "history").out.splitlines()
    assert line.endswith(f"and {len(scanned) - 1} more decisions: catalog people history --group 1")
    assert len(catalog("people", "history", "--group", 1).out.splitlines()) == len(scanned)
    assert catalog("undo").code == 0
    assert [row["name"] for row in catalog("people", "list", "--json").json] == [None] * len(scanned)


def test_the_history_of_a_person_is_that_of_all_its_ids(catalog: Catalog, scanned: list[dict[str, Any]]) -> None:
    """Decisions about a person before a merge are part of the history."""
    ann, bob = scanned[0]["person"], scanned[1]["person"]
    catalog("people", "name", bob, "Joe")
    catalog("people", "merge", ann, bob)
    for person in (ann, bob):
        assert [row["verb"] for row in catalog("people", "history", person, "--json").json] == ["name", "merge"]


def test_a_face_that_an_undo_unassigns_is_assigned_at_once(catalog: Catalog, scanned: list[dict[str, Any]]) -> None:
    """The local engine assigns it without a scan."""
    ann, bob = scanned[0]["person"], scanned[1]["person"]
    face = catalog("people", "show", bob, "--json").json["faces"][0]["face"]
    assert catalog("people", "confirm", face, ann).code == 0
    answer = catalog("undo")
    assert "restores it" in answer.out
    assert catalog("people", "show", bob, "--json").json["faces"][0]["face"] == face


def test_a_closed_output_has_its_own_exit_code(scanned: list[dict[str, Any]]) -> None:
    """141, as shells report it. A full disk gives a message."""
    assert scanned
    listing = [sys.executable, "-m", "catalog", "people", "list"]
    with subprocess.Popen(listing, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.close()
        assert process.wait(60) == 141
    with open("/dev/full", "w") as full:  # noqa: PTH123
        done = subprocess.run(listing, stdout=full, stderr=subprocess.PIPE, check=False, text=True, timeout=60)
    assert (done.returncode, "bug" in done.stderr) == (2, False)
