"""`catalog people suggest`, `review` and `migrate` on five real portraits of three people."""

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
    """The portraits in a folder, and their catalogue, scanned with thresholds that leave every face alone."""
    folder, database = tmp_path_factory.mktemp("portraits"), tmp_path_factory.mktemp("catalogue") / "catalog.sqlite3"
    for photo in PORTRAITS.glob("*.jpg"):
        shutil.copyfile(photo, folder / photo.name)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CATALOG_IDENTITIES_LINKAGE_THRESHOLD", "1")
        assert run(["scan", str(folder), "--database", str(database)]) == 0
    return folder, database


@pytest.fixture
def alone(catalog: Catalog, library: tuple[Path, Path]) -> list[dict[str, Any]]:
    """Five persons with one photo each in the user's own catalogue. Three of them are one man."""
    default_database().parent.mkdir(parents=True)
    shutil.copyfile(library[1], default_database())
    people: list[dict[str, Any]] = catalog("people", "list", "--json").json
    assert [row["photos"] for row in people] == [1] * 5
    return people


def review(catalog: Catalog, monkeypatch: pytest.MonkeyPatch, *answers: str) -> Answer:
    """Type the answers, then end the input."""
    monkeypatch.setattr("sys.stdin", io.StringIO("".join(f"{answer}\n" for answer in answers)))
    return catalog("people", "review", "--limit", 3)


def sizes(catalog: Catalog) -> list[int]:
    return sorted(row["faces"] for row in catalog("people", "list", "--json").json)


def verbs(catalog: Catalog) -> list[str]:
    return [row["verb"] for row in catalog("people", "history", "--json").json]


@pytest.mark.usefixtures("alone")
def test_yes_merges_and_settles_the_other_suggestion(catalog: Catalog, monkeypatch: pytest.MonkeyPatch) -> None:
    """Three photos of one man are three suggestions. Two answers settle the third. Undo reverts both."""
    assert len(catalog("people", "suggest", "--limit", 3, "--json").json) == 3
    answer = review(catalog, monkeypatch, "y", "yes", "y")
    assert (answer.code, answer.out.count("the same person as")) == (0, 2)
    assert "2 answered" in answer.out
    assert sizes(catalog) == [1, 1, 3]
    assert (catalog("undo").code, catalog("undo").code) == (0, 0)
    assert sizes(catalog) == [1] * 5


@pytest.mark.usefixtures("alone")
def test_a_no_is_permanent(catalog: Catalog, monkeypatch: pytest.MonkeyPatch) -> None:
    """Separated persons are not suggested again, and the next clustering does not merge them."""
    answer = review(catalog, monkeypatch, "n", "No", "n")
    assert "3 answered" in answer.out
    suggestions = catalog("people", "suggest", "--json").json
    assert "99" not in [str(row["similarity"])[:2] for row in suggestions]
    assert catalog("people", "recluster", "--apply").code == 0
    assert sizes(catalog) == [1] * 5


@pytest.mark.usefixtures("alone")
@pytest.mark.parametrize("word", ["s", "skip", "", "q", "quit", "Quit"])
def test_skipping_and_leaving_decide_nothing(catalog: Catalog, monkeypatch: pytest.MonkeyPatch, word: str) -> None:
    """As a letter or a word. Quitting ends the suggestions, as does the end of the input."""
    answer = review(catalog, monkeypatch, word)
    assert (answer.code, verbs(catalog)) == (0, [])
    assert answer.out.count("the same person as") == (1 if word[:1].lower() == "q" else 2)
    assert sizes(catalog) == [1] * 5
    assert "0 answered" in answer.out


@pytest.mark.usefixtures("alone")
def test_a_name_is_a_yes_with_a_name(catalog: Catalog, monkeypatch: pytest.MonkeyPatch) -> None:
    """The key m asks for the name. Both persons become one with that name."""
    assert review(catalog, monkeypatch, "m", "Barack Obama", "q").code == 0
    assert [(row["name"], row["faces"]) for row in catalog("people", "list", "--named", "--json").json] == [
        ("Barack Obama", 2)
    ]


@pytest.mark.usefixtures("alone")
@pytest.mark.parametrize("word", ["nope", "exit", "ye", "Barack Obama", "\x1b[31m"])
def test_another_word_decides_nothing_and_is_asked_again(
    catalog: Catalog, monkeypatch: pytest.MonkeyPatch, word: str
) -> None:
    """A mistyped answer does not merge and does not name a person."""
    answer = review(catalog, monkeypatch, word, "q")
    assert "is no answer" in answer.err
    assert "\x1b" not in answer.err
    assert sizes(catalog) == [1] * 5
    assert verbs(catalog) == []


def test_suggestions_about_one_person_name_that_person(catalog: Catalog, alone: list[dict[str, Any]]) -> None:
    """Each suggestion is printed with the command that answers it."""
    person = catalog("people", "suggest", "--json").json[0]["person"]
    other_persons = [row["person"] for row in alone if row["person"] != person]
    about = catalog("people", "suggest", person)
    assert about.code == 0
    assert all(person in line for line in about.out.splitlines())
    stranger = next(
        row for row in other_persons if catalog("people", "suggest", row).out == "There is no suggestion.\n"
    )
    assert catalog("people", "review", stranger).out == "There is no suggestion.\n"
    command = next(line for line in about.out.splitlines() if line.startswith("    catalog "))
    assert catalog(*command.split()[1:]).code == 0
    assert sizes(catalog) == [1, 1, 1, 2]


@pytest.fixture
def amazon(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An endpoint that the settings name for the Rekognition engine."""
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
    """Decisions about faces of the local engine hold for the same faces of Rekognition."""
    monkeypatch.setenv("CATALOG_IDENTITIES_SEARCH_LINKAGE_THRESHOLD", "12")
    assert catalog("scan", library[0], "--engine", "rekognition").code == 0
    faces = {
        Path(face["uri"]).stem: (row["person"], face["face"])
        for row in alone
        for face in catalog("people", "show", row["person"], "--json").json["faces"]
    }
    first, second, third = (faces[f"obama_{n}"][0] for n in (1, 2, 3))
    assert catalog("people", "merge", first, second, third).code == 0
    assert catalog("people", "name", first, "Barack").code == 0
    answer = catalog("people", "migrate", "--engine", "rekognition")
    assert answer.code == 0, answer.err
    shown = set()
    for engine in ("local", "rekognition"):  # each shows the faces of its gallery
        monkeypatch.setenv("CATALOG_ENGINE_NAME", engine)
        shown |= {face["face"] for face in catalog("people", "show", "Barack", "--json").json["faces"]}
    assert len(shown) == 6
    monkeypatch.delenv("CATALOG_ENGINE_NAME")
    assert verbs(catalog)[-1] == "migrate"
    assert "0 faces" in catalog("people", "migrate", "--engine", "rekognition").out
    assert catalog("people", "migrate", "--engine", "nobody").code == 2


@pytest.fixture
def collage(catalog: Catalog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Catalog:
    """A collage of two photos of one man, and a third photo. Each face is its own person."""
    folder = tmp_path / "collage"
    folder.mkdir()
    with Image.open(PORTRAITS / "obama_1.jpg") as left, Image.open(PORTRAITS / "obama_3.jpg") as right:
        beside = Image.new("RGB", (800, 500))
        for offset, portrait in ((0, left), (400, right)):
            beside.paste(portrait.convert("RGB").resize((400, 500)), (offset, 0))
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
    """Three portraits of one man. One of them has the date 1950."""
    folder = tmp_path / "dated"
    folder.mkdir()
    for name, year in (("obama_1", 2012), ("obama_2", 1950), ("obama_3", 2012)):
        with Image.open(PORTRAITS / f"{name}.jpg") as portrait:
            exif = Image.Exif()
            exif.get_ifd(IFD.Exif)[Base.DateTimeOriginal] = f"{year}:06:15 12:00:00"
            portrait.save(folder / f"{name}.jpg", quality=95, exif=exif)
    return folder


def test_faces_with_distant_birth_years_are_suggested(
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
def test_a_setting_switches_the_birth_years_off(
    catalog: Catalog, dated: Path, monkeypatch: pytest.MonkeyPatch, setting: str, value: str
) -> None:
    """Without apparent ages, or with the rule switched off, the similarity alone decides."""
    monkeypatch.setenv(setting, value)
    assert catalog("scan", dated).code == 0
    assert sizes(catalog) == [3]


def _faces(catalog: Catalog) -> dict[str, str]:
    return {
        Path(face["uri"]).stem: face["face"]
        for row in catalog("people", "list", "--json").json
        for face in catalog("people", "show", row["person"], "--json").json["faces"]
    }
