"""The people commands, find-person, why, undo, watch and verify, as a user types them, on five real portraits."""

from __future__ import annotations

import io
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
    """The portraits in a folder, and their catalogue: scanned once for all tests here."""
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
    found: list[dict[str, Any]] = catalog("people", "list", "--json").json
    return found


def test_five_portraits_are_three_people(scanned: list[dict[str, Any]]) -> None:
    """One man is on three photos, the other two people on one each."""
    assert [each["photos"] for each in scanned] == [3, 1, 1]


def test_a_person_is_named_merged_and_all_is_undone(catalog: Catalog, scanned: list[dict[str, Any]]) -> None:
    """By id or by name; history tells what was done, and undo takes it back, last first."""
    first, second, third = (each["person"] for each in scanned)
    before = catalog("people", "list", "--json").out
    assert catalog("people", "name", first, "Barack").code == 0
    assert catalog("people", "merge", "Barack", second, third).code == 0
    assert [each["faces"] for each in catalog("people", "list", "--json").json] == [5]
    assert catalog("people", "show", second, "--json").json["name"] == "Barack"
    assert [each["verb"] for each in catalog("people", "history", "--json").json] == ["name", "merge", "merge"]
    for _ in range(3):
        assert catalog("undo").code == 0
    assert catalog("people", "list", "--json").out == before
    assert catalog("undo").code == 2


def test_a_name_that_fits_nobody_or_several_is_a_usage_error(catalog: Catalog, scanned: list[dict[str, Any]]) -> None:
    """Exit code 2, with a sentence."""
    for each in scanned[:2]:
        catalog("people", "name", each["person"], "Sam")
    several = catalog("people", "show", "Sam")
    assert (several.code, "Several people" in several.err) == (2, True)
    assert catalog("people", "show", "Nobody at all").code == 2


def test_a_rejected_face_finds_another_place_at_once(catalog: Catalog, scanned: list[dict[str, Any]]) -> None:
    """With the local engine nothing has to wait for the next scan; `why` tells the decision."""
    person = scanned[0]["person"]
    face = catalog("people", "show", person, "--json").json["faces"][0]["face"]
    assert catalog("people", "reject", face[:10]).code == 0
    told = catalog("why", face, "--json").json
    assert told["person"] not in (None, person)
    assert [each["verb"] for each in told["decisions"]] == ["reject"]
    assert catalog("people", "confirm", face, person).code == 0
    assert catalog("people", "recluster", "--json").json["moved"] == 0


def test_a_person_is_found_by_a_photo(catalog: Catalog, scanned: list[dict[str, Any]], tmp_path: Path) -> None:
    """Best first, under the agreed keys; photos are copied where wanted."""
    catalog("people", "name", scanned[0]["person"], "Barack")
    found = catalog("find-person", PORTRAITS / "obama_1.jpg", "--json", "--copy-to", tmp_path / "found").json
    assert set(found["reference"]) == {"face", "box"}
    assert set(found["matches"][0]) == {"uri", "person", "name", "similarity", "taken_at", "box"}
    assert [match["name"] for match in found["matches"]] == ["Barack"] * 3
    assert sorted(path.name for path in (tmp_path / "found").iterdir()) == [f"obama_{n}.jpg" for n in (1, 2, 3)]
    assert catalog("find-person", "--person", "Barack", "--json").json["matches"]
    by_not = catalog("find-person", PORTRAITS / "obama_1.jpg", "--not", PORTRAITS / "obama_1.jpg")
    assert (by_not.code, "No match" in by_not.out) == (0, True)
    assert catalog("find-person").code == 2


def test_forgetting_leaves_a_receipt_and_no_way_back(
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
    assert sum(each["faces"] for each in catalog("people", "list", "--json").json) == 2


def test_the_watch_list_tells_new_hits_once(catalog: Catalog, portraits: Path, tmp_path: Path) -> None:
    """A hit waits for a review with exit code 9; the hook gets it as JSON; reviewed, all is quiet."""
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
    """The same man is accepted, another is not, a file of claims is answered line by line, and all is in the log."""
    assert catalog("enroll", "e-1", PORTRAITS / "obama_1.jpg").code == 0
    assert catalog("verify", "e-1", PORTRAITS / "obama_2.jpg").code == 0
    assert catalog("verify", "e-1", PORTRAITS / "biden.jpg").code == 9
    claims = tmp_path / "claims.csv"
    claims.write_text(f"id,photo\ne-1,{PORTRAITS / 'obama_2.jpg'}\ne-1,{PORTRAITS / 'biden.jpg'}\n")
    answers = catalog("verify", "--csv", claims, "--json")
    assert (answers.code, answers.json[0]["verdict"]) == (9, "accepted")
    assert len(catalog("audit", "--json").json_lines) == 5
    assert "5 entries of the verification log" in catalog("enroll", "e-1", "--remove").out
    assert catalog("verify", "e-1", PORTRAITS / "obama_2.jpg").code == 2


def test_what_is_counted_once_is_told_in_the_singular(catalog: Catalog, scanned: list[dict[str, Any]]) -> None:
    """One face on one photo, one reference, one hit."""
    man, woman = scanned[0]["person"], scanned[1]["person"]
    assert ": 3 faces on 3 photos" in catalog("people", "show", man).out
    assert ": 1 face on 1 photo\n" in catalog("people", "show", woman).out
    face = catalog("people", "show", man, "--json").json["faces"][0]["face"]
    assert catalog("people", "split", man, face).out.startswith("1 face of ")
    catalog("watch", "add", "Joe", PORTRAITS / "biden.jpg")
    assert "1 reference, 0 negatives, 0 open hits" in catalog("watch", "list").out
    assert "1 new hit on" in catalog("watch", "check").err


def test_a_name_that_somebody_has_is_given_and_the_merge_is_told(
    catalog: Catalog, scanned: list[dict[str, Any]]
) -> None:
    """Two persons of one name are often one: the command that says so is on stderr, and works."""
    first, second, third = (each["person"] for each in scanned)
    assert catalog("people", "name", first, "Barack").err == ""
    told = catalog("people", "name", second, " Barack ")
    assert (told.code, told.out.startswith(f'{second} is "Barack" now')) == (0, True)
    assert f"catalog people merge {first} {second}" in told.err
    assert catalog("people", "merge", first, second).code == 0
    again = catalog("people", "merge", first, second)
    assert (again.code, f'"Barack" ({first}) and the other person are one person already' in again.err) == (2, True)
    nameless = catalog("people", "name", third, "")
    assert (nameless.code, "has no name" in nameless.err) == (2, True)
    assert [each["verb"] for each in catalog("people", "history", "--json").json] == ["name", "name", "merge"]


def test_open_hits_tell_how_to_review_them(catalog: Catalog, scanned: list[dict[str, Any]]) -> None:
    """What waits for a human says which command takes the answer."""
    assert scanned
    catalog("watch", "add", "Joe", PORTRAITS / "biden.jpg")
    assert "catalog watch confirm HIT" in catalog("watch", "check").err
    assert "catalog watch confirm HIT" in catalog("watch", "hits").err


def test_an_evaluation_without_enough_labels_tells_what_would_help(
    catalog: Catalog, scanned: list[dict[str, Any]]
) -> None:
    """Confirmed faces, or --named unless that was tried; once two are named, --named measures."""
    first, second, _ = (each["person"] for each in scanned)
    assert "--named" in catalog("evaluate").err
    without = catalog("evaluate", "--named")
    assert (without.code, "`catalog people name`" in without.err, "--named" in without.err) == (2, True, False)
    catalog("people", "name", first, "Barack")
    catalog("people", "name", second, "Eileen")
    assert catalog("evaluate", "--named", "--json").json["genuine_pairs"] == 3


def test_a_birth_is_shown_and_lies_in_the_past(catalog: Catalog, scanned: list[dict[str, Any]]) -> None:
    """A day to come is a slip of the keyboard."""
    person = scanned[0]["person"]
    assert catalog("people", "born", person, "1961-08-04").code == 0
    assert "born 1961-08-04" in catalog("people", "show", person).out
    future = catalog("people", "born", person, "2961-08-04")
    assert (future.code, "is in the future" in future.err) == (2, True)
    assert catalog("people", "show", person, "--json").json["birth_date"] == "1961-08-04"


def test_what_became_of_a_face_is_told(catalog: Catalog, scanned: list[dict[str, Any]]) -> None:
    """A rejected face names its new person, and one that a human called no face says so when asked why."""
    person = scanned[0]["person"]
    face = catalog("people", "show", person, "--json").json["faces"][0]["face"]
    told = catalog("people", "reject", face)
    assert f"It is assigned to {catalog('why', face, '--json').json['person']}" in told.out
    assert catalog("people", "not-a-face", face).code == 0
    assert "is not a face, decided by a user" in catalog("why", face).out
    assert catalog("undo").code == 0
    assert "is not a face" not in catalog("why", face).out


def test_forgetting_needs_a_yes(
    catalog: Catalog, scanned: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A no keeps everybody, and so does a script that cannot answer; it is told of --yes."""
    person = scanned[0]["person"]
    monkeypatch.setattr("sys.stdin", io.StringIO("n\n"))
    kept = catalog("people", "forget", person)
    assert (kept.code, "Nothing was changed" in kept.out) == (0, True)
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    silent = catalog("people", "forget", person)
    assert (silent.code, "--yes" in silent.err) == (2, True)
    assert len(catalog("people", "show", person, "--json").json["faces"]) == 3


def test_a_claim_that_cannot_be_tried_does_not_end_the_others(catalog: Catalog, tmp_path: Path) -> None:
    """A photo that is not there, one without a face, an unknown id: each says so, the rest is answered."""
    assert catalog("enroll", "e-1", PORTRAITS / "obama_1.jpg").code == 0
    Image.new("RGB", (64, 64)).save(tmp_path / "black.png")
    claims = tmp_path / "claims.csv"
    rows = [("e-1", "gone.jpg"), ("e-1", "black.png"), ("e-9", "black.png"), ("e-1", PORTRAITS / "obama_2.jpg")]
    claims.write_text("id,photo\n" + "".join(f"{who},{photo}\n" for who, photo in rows))
    told = catalog("verify", "--csv", claims, "--json")
    assert (told.code, "3 of 4 not accepted" in told.err) == (9, True)
    assert [each["verdict"] for each in told.json] == ["failed", "cannot tell", "failed", "accepted"]
    assert ["gone.jpg" in told.json[0]["reasons"][0], "e-9" in told.json[2]["reasons"][0]] == [True, True]
    assert len(catalog("verify", "--csv", claims).out.splitlines()) == 4
    assert catalog("verify", "e-1", tmp_path / "gone.jpg").code == 2
    claims.write_text("id,photo\n")
    empty = catalog("verify", "--csv", claims)
    assert (empty.code, "has no row" in empty.err) == (2, True)
    missing = catalog("verify", "--csv", tmp_path / "none.csv")
    assert (missing.code, "cannot be read" in missing.err) == (2, True)


def test_a_name_written_otherwise_is_suggested(catalog: Catalog, scanned: list[dict[str, Any]]) -> None:
    """Another case, a part of it or a slip is told as such; nobody is taken for somebody else."""
    catalog("people", "name", scanned[0]["person"], "Barack Obama")
    for written in ("barack obama", "Obama", "Barack Obana"):
        told = catalog("people", "show", written)
        assert (told.code, 'Did you mean "Barack Obama"?' in told.err) == (2, True)
    assert "Did you mean" not in catalog("people", "show", "Eileen").err


def test_names_are_found_however_their_accents_are_written(catalog: Catalog, scanned: list[dict[str, Any]]) -> None:
    """One keyboard puts the accent in the letter, another file system after it."""
    composed, decomposed = "Am\u00e9lie", "Ame\u0301lie"
    one, other = scanned[0]["person"], scanned[1]["person"]
    assert catalog("people", "name", one, decomposed).code == 0
    assert catalog("people", "show", composed, "--json").json["person"] == one
    assert "Another person has this name" in catalog("people", "name", other, composed).err


@pytest.mark.parametrize(("name", "sentence"), [("x" * 501, "at most 500"), ("\u200b", "no readable character")])
def test_a_name_that_cannot_be_read_is_refused(
    catalog: Catalog, scanned: list[dict[str, Any]], name: str, sentence: str
) -> None:
    """By its length, or because nothing of it is seen."""
    answer = catalog("people", "name", scanned[0]["person"], name)
    assert (answer.code, sentence in answer.err) == (2, True)


@pytest.mark.parametrize("words", [["unhide", "PERSON"], ["born", "PERSON", ""]])
def test_what_is_so_already_is_no_decision(catalog: Catalog, scanned: list[dict[str, Any]], words: list[str]) -> None:
    """The next undo would take back nothing."""
    person = scanned[0]["person"]
    answer = catalog("people", *[person if word == "PERSON" else word for word in words])
    assert (answer.code, "already" in answer.err) == (2, True)
    assert catalog("people", "history", "--json").json == []


def test_the_decisions_of_an_import_are_one_line_that_can_be_opened(
    catalog: Catalog, scanned: list[dict[str, Any]], tmp_path: Path
) -> None:
    """And one undo reverts them together."""
    names = tmp_path / "names.csv"
    names.write_text("person_id,name\n" + "".join(f"{each['person']},Name {n}\n" for n, each in enumerate(scanned)))
    assert catalog("import", "csv", names).code == 0
    (line,) = catalog("people", "history").out.splitlines()
    assert line.endswith(f"and {len(scanned) - 1} more decisions: catalog people history --group 1")
    assert len(catalog("people", "history", "--group", 1).out.splitlines()) == len(scanned)
    assert catalog("undo").code == 0
    assert [each["name"] for each in catalog("people", "list", "--json").json] == [None] * len(scanned)


def test_the_history_of_a_person_is_that_of_all_its_ids(catalog: Catalog, scanned: list[dict[str, Any]]) -> None:
    """What was said of somebody before being merged belongs to it."""
    one, other = scanned[0]["person"], scanned[1]["person"]
    catalog("people", "name", other, "Joe")
    catalog("people", "merge", one, other)
    for person in (one, other):
        assert [each["verb"] for each in catalog("people", "history", person, "--json").json] == ["name", "merge"]


def test_a_face_that_an_undo_lets_go_is_placed_at_once(catalog: Catalog, scanned: list[dict[str, Any]]) -> None:
    """With the local engine nobody waits for the night."""
    one, other = scanned[0]["person"], scanned[1]["person"]
    face = catalog("people", "show", other, "--json").json["faces"][0]["face"]
    assert catalog("people", "confirm", face, one).code == 0
    taken = catalog("undo")
    assert "restores it" in taken.out
    assert catalog("people", "show", other, "--json").json["faces"][0]["face"] == face


def test_who_stops_reading_is_told_so_by_the_exit_code(scanned: list[dict[str, Any]]) -> None:
    """As the shell says it of every program; a full disk is told with a sentence."""
    assert scanned
    listing = [sys.executable, "-m", "catalog", "people", "list"]
    with subprocess.Popen(listing, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.close()
        assert process.wait(60) == 141
    with open("/dev/full", "w") as full:  # noqa: PTH123
        done = subprocess.run(listing, stdout=full, stderr=subprocess.PIPE, check=False, text=True, timeout=60)
    assert (done.returncode, "bug" in done.stderr) == (2, False)
