"""`catalog people suggest`, `review` and `migrate`, as a user types them, on five real portraits of three people."""

from __future__ import annotations

import io
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from PIL.ExifTags import IFD, Base

from catalog.app.settings import default_database
from catalog.cli.main import run
from catalog.web.endpoint_server import open_endpoint
from tests.cli.conftest import PORTRAITS, Answer, Catalog


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The portraits in a folder, and their catalogue, scanned with such caution that everybody is alone."""
    folder, database = tmp_path_factory.mktemp("portraits"), tmp_path_factory.mktemp("catalogue") / "catalog.sqlite3"
    for photo in PORTRAITS.glob("*.jpg"):
        shutil.copyfile(photo, folder / photo.name)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CATALOG_IDENTITIES_LINKAGE_THRESHOLD", "1")
        assert run(["scan", str(folder), "--database", str(database)]) == 0
    return folder, database


@pytest.fixture
def alone(catalog: Catalog, library: tuple[Path, Path]) -> list[dict[str, Any]]:
    """Five persons of one photo each, three of whom are one man, in the user's own catalogue."""
    default_database().parent.mkdir(parents=True)
    shutil.copyfile(library[1], default_database())
    found: list[dict[str, Any]] = catalog("people", "list", "--json").json
    assert [each["photos"] for each in found] == [1] * 5
    return found


def review(catalog: Catalog, monkeypatch: pytest.MonkeyPatch, *answers: str) -> Answer:
    """Type some answers, then end the input."""
    monkeypatch.setattr("sys.stdin", io.StringIO("".join(f"{answer}\n" for answer in answers)))
    return catalog("people", "review", "--limit", 3)


def sizes(catalog: Catalog) -> list[int]:
    return sorted(each["faces"] for each in catalog("people", "list", "--json").json)


def verbs(catalog: Catalog) -> list[str]:
    return [each["verb"] for each in catalog("people", "history", "--json").json]


@pytest.mark.usefixtures("alone")
def test_yes_joins_and_what_it_settled_is_not_asked(catalog: Catalog, monkeypatch: pytest.MonkeyPatch) -> None:
    """Three photos of one man are three questions; two answers settle the third, and all of it can be taken back."""
    assert len(catalog("people", "suggest", "--limit", 3, "--json").json) == 3
    answer = review(catalog, monkeypatch, "y", "yes", "y")
    assert (answer.code, answer.out.count("the same person as")) == (0, 2)
    assert "2 answered" in answer.out
    assert sizes(catalog) == [1, 1, 3]
    assert (catalog("undo").code, catalog("undo").code) == (0, 0)
    assert sizes(catalog) == [1] * 5


@pytest.mark.usefixtures("alone")
def test_no_is_for_ever(catalog: Catalog, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who was told apart is not asked about again, and stays apart in the next grouping."""
    answer = review(catalog, monkeypatch, "n", "No", "n")
    assert "3 answered" in answer.out
    asked = catalog("people", "suggest", "--json").json
    assert "99" not in [str(each["similarity"])[:2] for each in asked]
    assert catalog("people", "recluster", "--apply").code == 0
    assert sizes(catalog) == [1] * 5


@pytest.mark.usefixtures("alone")
@pytest.mark.parametrize("word", ["s", "skip", "", "q", "quit", "Quit"])
def test_skipping_and_leaving_decide_nothing(catalog: Catalog, monkeypatch: pytest.MonkeyPatch, word: str) -> None:
    """In one letter or in full; leaving ends the questions, as does the end of the input."""
    answer = review(catalog, monkeypatch, word)
    assert (answer.code, verbs(catalog)) == (0, [])
    assert answer.out.count("the same person as") == (1 if word[:1].lower() == "q" else 2)
    assert sizes(catalog) == [1] * 5
    assert "0 answered" in answer.out


@pytest.mark.usefixtures("alone")
def test_a_name_is_a_yes_with_a_name(catalog: Catalog, monkeypatch: pytest.MonkeyPatch) -> None:
    """The key m asks for the name. Both persons become one with that name."""
    assert review(catalog, monkeypatch, "m", "Barack Obama", "q").code == 0
    assert [(each["name"], each["faces"]) for each in catalog("people", "list", "--named", "--json").json] == [
        ("Barack Obama", 2)
    ]


@pytest.mark.usefixtures("alone")
@pytest.mark.parametrize("word", ["nope", "exit", "ye", "Barack Obama", "\x1b[31m"])
def test_another_word_decides_nothing_and_is_asked_again(
    catalog: Catalog, monkeypatch: pytest.MonkeyPatch, word: str
) -> None:
    """A mistyped answer neither merges nor names a person."""
    answer = review(catalog, monkeypatch, word, "q")
    assert "is no answer" in answer.err
    assert "\x1b" not in answer.err
    assert sizes(catalog) == [1] * 5
    assert verbs(catalog) == []


def test_a_question_about_one_person_is_about_that_person(catalog: Catalog, alone: list[dict[str, Any]]) -> None:
    """Only that one's questions, and each with the command that answers it."""
    asked = catalog("people", "suggest", "--json").json[0]["person"]
    others = [each["person"] for each in alone if each["person"] != asked]
    about = catalog("people", "suggest", asked)
    assert about.code == 0
    assert all(asked in line for line in about.out.splitlines())
    stranger = next(each for each in others if catalog("people", "suggest", each).out == "There is no suggestion.\n")
    assert catalog("people", "review", stranger).out == "There is no suggestion.\n"
    command = next(line for line in about.out.splitlines() if line.startswith("    catalog "))
    assert catalog(*command.split()[1:]).code == 0
    assert sizes(catalog) == [1, 1, 1, 2]


@pytest.fixture
def amazon(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An endpoint that the settings lead to when the Rekognition engine is asked for."""
    with open_endpoint() as server, server.in_background() as url:
        for name, value in {
            "AWS_ACCESS_KEY_ID": "a",
            "AWS_SECRET_ACCESS_KEY": "b",
            "CATALOG_REKOGNITION_REGION": "us-east-1",
            "CATALOG_REKOGNITION_ENDPOINT_URL": url,
            "CATALOG_REKOGNITION_CALLS_PER_SECOND": "500",
        }.items():
            monkeypatch.setenv(name, value)
        yield


@pytest.mark.usefixtures("amazon")
def test_names_migrate_to_another_engine(
    catalog: Catalog, alone: list[dict[str, Any]], library: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was said by way of the local engine's faces holds for Rekognition's at the same places."""
    monkeypatch.setenv("CATALOG_IDENTITIES_SEARCH_LINKAGE_THRESHOLD", "12")
    assert catalog("scan", library[0], "--engine", "rekognition").code == 0
    faces = {
        Path(face["uri"]).stem: (each["person"], face["face"])
        for each in alone
        for face in catalog("people", "show", each["person"], "--json").json["faces"]
    }
    first, second, third = (faces[f"obama_{n}"][0] for n in (1, 2, 3))
    assert catalog("people", "merge", first, second, third).code == 0
    assert catalog("people", "name", first, "Barack").code == 0
    answer = catalog("people", "migrate", "--engine", "rekognition")
    assert answer.code == 0, answer.err
    shown = catalog("people", "show", "Barack", "--json").json["faces"]
    assert len(shown) == 6
    assert verbs(catalog)[-1] == "migrate"
    assert "0 faces" in catalog("people", "migrate", "--engine", "rekognition").out
    assert catalog("people", "migrate", "--engine", "nobody").code == 2


@pytest.fixture
def collage(catalog: Catalog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Catalog:
    """A man beside another photo of himself, and a photo of him alone, each a person of its own."""
    folder = tmp_path / "collage"
    folder.mkdir()
    with Image.open(PORTRAITS / "obama_1.jpg") as one, Image.open(PORTRAITS / "obama_3.jpg") as other:
        beside = Image.new("RGB", (800, 500))
        for left, portrait in ((0, one), (400, other)):
            beside.paste(portrait.convert("RGB").resize((400, 500)), (left, 0))
    beside.save(folder / "collage.jpg", quality=95)
    shutil.copyfile(PORTRAITS / "obama_2.jpg", folder / "alone.jpg")
    with monkeypatch.context() as patch:
        patch.setenv("CATALOG_IDENTITIES_LINKAGE_THRESHOLD", "1")
        assert catalog("scan", folder).code == 0
    return catalog


def test_two_on_one_photo_are_merged_only_by_a_question_about_that_photo(
    collage: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    suggestions = collage("people", "suggest", "--json").json
    assert sorted(suggestion["same_photo"] for suggestion in suggestions) == [False, False, True]
    answers = ["n" if suggestion["same_photo"] else "y" for suggestion in suggestions]
    assert review(collage, monkeypatch, *answers).code == 0
    assert sizes(collage) == [1, 2], "merged with the photo alone, and not with each other"


def test_a_yes_to_the_question_about_one_photo_merges_both(collage: Catalog, monkeypatch: pytest.MonkeyPatch) -> None:
    text = collage("people", "suggest").out
    assert text.count("both are on one photo") == text.count("--same-photo") == 1
    (question,) = (row for row in collage("people", "suggest", "--json").json if row["same_photo"])
    ids = question["person"], question["other_person"]
    assert collage("people", "merge", *ids, "--same-photo").code == 0
    assert sizes(collage) == [1, 2]
    assert [row["same_photo"] for row in collage("people", "suggest", "--json").json] == [False]


@pytest.fixture
def dated(tmp_path: Path) -> Path:
    """Three portraits of one man, one of which somebody dated 1950."""
    folder = tmp_path / "dated"
    folder.mkdir()
    for name, year in (("obama_1", 2012), ("obama_2", 1950), ("obama_3", 2012)):
        with Image.open(PORTRAITS / f"{name}.jpg") as portrait:
            exif = Image.Exif()
            exif.get_ifd(IFD.Exif)[Base.DateTimeOriginal] = f"{year}:06:15 12:00:00"
            portrait.save(folder / f"{name}.jpg", quality=95, exif=exif)
    return folder


def test_faces_that_look_born_decades_apart_are_asked_about(
    catalog: Catalog, dated: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are one man all the same: `why` tells what kept them apart, a yes joins them for good."""
    assert catalog("scan", dated).code == 0
    assert sizes(catalog) == [1, 2]
    (question,) = catalog("people", "suggest", "--json").json
    assert question["kept_apart"].startswith("they look born from ")
    assert "kept separate: they look born" in catalog("why", _faces(catalog)["obama_2"]).out
    answer = review(catalog, monkeypatch, "y")
    assert "not merged, because they look born from " in answer.out
    (dated / "obama_1.jpg").touch()
    assert catalog("scan", dated).code == 0
    assert sizes(catalog) == [3]
    assert catalog("people", "recluster", "--json").json["moved"] == 0


@pytest.mark.parametrize(
    ("setting", "value"),
    [("CATALOG_ENGINE_ATTRIBUTES", "none"), ("CATALOG_IDENTITIES_APPARENT_BIRTH_YEARS", "200")],
)
def test_dates_do_not_matter_where_that_is_wanted(
    catalog: Catalog, dated: Path, monkeypatch: pytest.MonkeyPatch, setting: str, value: str
) -> None:
    """Without apparent ages, or with the rule switched off, likeness alone decides."""
    monkeypatch.setenv(setting, value)
    assert catalog("scan", dated).code == 0
    assert sizes(catalog) == [3]


def _faces(catalog: Catalog) -> dict[str, str]:
    return {
        Path(face["uri"]).stem: face["face"]
        for each in catalog("people", "list", "--json").json
        for face in catalog("people", "show", each["person"], "--json").json["faces"]
    }
