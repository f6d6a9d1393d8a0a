"""Files of one exposure count once: scans of real portraits in the forms in which phones and programs keep them."""

from __future__ import annotations

import json
import shutil
from datetime import datetime
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator
from PIL import Image

from tests.cli.shot_files import MOMENT, names, portrait, save

SCHEMA = json.loads((Path(__file__).parents[2] / "docs" / "json.schema.json").read_text("utf-8"))


@pytest.fixture(scope="module")
def encoded_shot(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files of `shot`, to be copied."""
    folder = tmp_path_factory.mktemp("shot")
    image = portrait("obama_1.jpg")
    half = image.resize((image.width // 2, image.height // 2))
    save(image, folder / "IMG_0001.AVIF", MOMENT)
    save(image, folder / "IMG_0001.JPG", MOMENT)
    save(image.convert("L").convert("RGB"), folder / "IMG_E0001.JPG", MOMENT)
    save(image, folder / "IMG_0001-bearbeitet.jpg", None, quality=80)
    save(half, folder / "IMG_0001_thumb.jpg", None, camera=False)
    save(half, folder / "WhatsApp Images" / "IMG-20190705-WA0001.jpg", None, camera=False, quality=60)
    save(half, folder / "WhatsApp Images" / "Sent" / "IMG-20190706-WA0007.jpg", None, camera=False, quality=50)
    return folder


@pytest.fixture
def shot(encoded_shot: Path, tmp_path: Path) -> Path:
    """One exposure in seven files: two formats, two edits, a thumbnail, and two copies that a messenger made."""
    return Path(shutil.copytree(encoded_shot, tmp_path / "library", copy_function=shutil.copyfile))


@pytest.fixture(autouse=True)
def chosen_database(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each test runs on both databases."""
    monkeypatch.setenv("CATALOG_DATABASE_URL", database_url)


@pytest.fixture
def rows(database):
    """The rows of a query."""

    def ask(query: str) -> list[dict]:
        with database.read() as connection:
            return [dict(row) for row in connection.exec_driver_sql(query).mappings()]

    return ask


def test_one_exposure_counts_once_in_every_statistic(catalog, shot, rows):
    """Seven files are seven photos and places; the man is on two photos: this one, and another."""
    save(portrait("obama_2.jpg"), shot / "IMG_0002.JPG", datetime(2020, 1, 1, 12))  # noqa: DTZ001
    assert catalog("scan", shot).code == 0
    answer = catalog("stacks", "list", "--json")
    for row in answer.json_lines:
        Draft202012Validator({**SCHEMA, "$ref": "#/$defs/stacks"}).validate(row)
    (stack,) = names(answer)
    assert stack[0] in ("IMG_0001.JPG", "IMG_0001.AVIF")
    assert len(stack) == 7
    assert "IMG_0002.JPG" not in stack
    assert rows("SELECT COUNT(*) AS n FROM v1_photos") == [{"n": 8}]
    assert rows("SELECT faces, photos FROM v1_people") == [{"faces": 2, "photos": 2}]
    assert rows("SELECT COUNT(*) AS n FROM v1_appearances") == [{"n": 8}]
    assert rows("SELECT SUM(faces) AS n FROM v1_emotions_by_month") == [{"n": 2}]
    (person,) = catalog("report", "people", "--format", "json").json
    assert (person["faces"], person["photos"]) == (2, 2)
    months = catalog("report", "timeline", "--format", "json").json
    assert [(month["month"], month["photos"], month["faces"]) for month in months] == [
        ("2019-07", 1, 1),
        ("2020-01", 1, 1),
    ]
    (listed,) = catalog("people", "list", "--json").json
    assert listed["photos"] == 2
    kinds = [row["kind"] for row in catalog("report", "duplicates", "--format", "json").json]
    assert kinds[0] == "counted"
    assert {"name", "edit", "image"} == set(kinds[1:])
    album = catalog("report", "timeline", "--album", shot / "WhatsApp Images", "--format", "json").json
    assert sum(month["photos"] for month in album) >= 1


def test_two_people_together_share_one_exposure(catalog, tmp_path, rows):
    """Co-occurrence counts the pair once, in the report and in the view."""
    one, other = portrait("obama_1.jpg"), portrait("biden.jpg")
    other = other.resize((round(other.width * one.height / other.height), one.height))
    both = Image.new("RGB", (one.width + other.width, one.height))
    both.paste(one, (0, 0))
    both.paste(other, (one.width, 0))
    save(both, tmp_path / "b" / "P1.JPG", MOMENT)
    save(both, tmp_path / "b" / "P1.PNG", MOMENT)
    assert catalog("scan", tmp_path / "b").code == 0
    assert rows("SELECT photos FROM v1_co_occurrence") == [{"photos": 1}]
    (pair,) = catalog("report", "co-occurrence", "--format", "json").json
    assert pair["photos"] == 1


def test_a_shifted_clock_keeps_a_burst_apart(catalog, tmp_path):
    """The names differ as those of copies do, and the images are similar; the corrected times still differ."""
    folder = tmp_path / "burst"
    image = portrait("obama_1.jpg")
    save(image, folder / "DSC_0001-1.JPG", MOMENT)
    save(image, folder / "DSC_0001-2.JPG", MOMENT.replace(second=26), quality=91)
    assert catalog("scan", folder).code == 0
    assert names(catalog("stacks", "list", "--json")) == []
    assert catalog("dates", "shift", folder, "+1h").code == 0
    save(portrait("biden.jpg"), folder / "another.jpg", None)
    assert catalog("scan", folder).code == 0
    assert names(catalog("stacks", "list", "--json")) == []


def test_a_file_whose_name_reads_as_a_hash_is_found_by_its_path(catalog, tmp_path, monkeypatch):
    """Without an ending. A path comes before the beginning of a hash, as in `catalog dates`."""
    save(portrait("obama_1.jpg"), tmp_path / "c0ffee.jpg", MOMENT)
    save(portrait("obama_1.jpg"), tmp_path / "c0ffee.png", MOMENT)
    (tmp_path / "c0ffee.png").rename(tmp_path / "c0ffee")
    assert catalog("scan", tmp_path).code == 0
    monkeypatch.chdir(tmp_path)
    assert catalog("stacks", "part", "c0ffee").code == 0


def test_what_only_looks_like_one_exposure_stays_apart(catalog, tmp_path):
    """A burst, two people behind names of one pattern, and a counter that started again."""
    folder = tmp_path / "apart"
    image = portrait("astronaut.jpg")
    moved = image.crop((4, 4, image.width, image.height)).resize(image.size)
    save(image, folder / "BURST_1.jpg", MOMENT)
    save(moved, folder / "BURST_2.jpg", MOMENT.replace(second=26))
    save(portrait("obama_1.jpg"), folder / "DSC_1.jpg", None, camera=False)
    save(portrait("biden.jpg"), folder / "DSC_1(1).jpg", None, camera=False)
    save(portrait("obama_2.jpg"), folder / "IMG_0003.JPG", MOMENT)
    save(portrait("obama_3.jpg"), folder / "IMG_0003.PNG", None)
    save(portrait("obama_3.jpg"), folder / "IMG_E0003.JPG", MOMENT.replace(year=2021))
    assert catalog("scan", folder).code == 0
    stacks = names(catalog("stacks", "list", "--json"))
    assert stacks in ([["IMG_E0003.JPG", "IMG_0003.PNG"]], [["IMG_0003.PNG", "IMG_E0003.JPG"]])


def test_a_parted_photo_counts_and_the_decision_is_undoable(catalog, shot, rows):
    """It survives rescans; undo joins the photo again."""
    assert catalog("scan", shot).code == 0
    edit = shot / "IMG_E0001.JPG"
    answer = catalog("stacks", "part", edit)
    assert answer.code == 0
    assert "Parted" in answer.out
    for _ in range(2):
        (stack,) = names(catalog("stacks", "list", "--json"))
        assert "IMG_E0001.JPG" not in stack
        assert len(stack) == 6
        assert rows("SELECT MAX(photos) AS n FROM v1_people") == [{"n": 2}]
        save(portrait("biden.jpg"), shot / "new.jpg", None)
        assert catalog("scan", shot).code == 0
        (shot / "new.jpg").unlink()
    assert catalog("stacks", "part", edit).code == 2
    assert catalog("undo").code == 0
    assert len(names(catalog("stacks", "list", "--json"))[0]) == 7
    assert "part" in catalog("people", "history").out


def test_the_setting_switches_stacks_off_and_on(catalog, shot, monkeypatch):
    """The next scan applies it, although no photo changed."""
    assert catalog("scan", shot).code == 0
    for value, count in (("false", 0), ("true", 1)):
        monkeypatch.setenv("CATALOG_SCAN_STACKS", value)
        assert catalog("scan", shot).code == 0
        assert len(names(catalog("stacks", "list", "--json"))) == count


def test_a_stack_survives_the_loss_of_the_photo_that_counts(catalog, shot):
    """Another file counts then."""
    assert catalog("scan", shot).code == 0
    for name in ("IMG_0001.JPG", "IMG_0001.AVIF"):
        (shot / name).unlink()
    assert catalog("scan", shot).code == 0
    (stack,) = names(catalog("stacks", "list", "--json"))
    assert stack[0] in ("IMG_0001-bearbeitet.jpg", "IMG_E0001.JPG")


def index_calls(server) -> int:
    return server.service.tally["IndexFaces", ""]


def test_the_paid_engine_gets_one_file_of_an_exposure(catalog, shot, serving):
    """Files grouped by name are charged once, and the plan says so. Files that only images group are charged each."""
    with serving() as server:
        plan = catalog("scan", shot, "--dry-run", "--json").json
        (index,) = [call for call in plan["calls"] if call["operation"] == "IndexFaces"]
        assert (plan["stacked"], index["calls"], index["calls_highest"]) == (3, 4, 7)
        assert catalog("scan", shot).code == 0
        assert index_calls(server) == 4
        (stack,) = names(catalog("stacks", "list", "--json"))
        assert len(stack) == 7
        again = catalog("scan", shot, "--dry-run", "--json").json
        assert (again["unseen"], again["altered"], again["dollars"]) == (0, 0, 0)
        assert catalog("scan", shot).code == 0
        assert index_calls(server) == 4


def test_a_file_that_names_call_one_exposure_is_sent_if_its_image_differs(catalog, tmp_path, serving):
    """The plan's highest number covers it."""
    folder = tmp_path / "two"
    save(portrait("obama_1.jpg"), folder / "IMG_1.JPG", MOMENT)
    save(portrait("biden.jpg"), folder / "IMG_1.PNG", None)
    with serving() as server:
        plan = catalog("scan", folder, "--dry-run", "--json").json
        (index,) = [call for call in plan["calls"] if call["operation"] == "IndexFaces"]
        assert (index["calls"], index["calls_highest"]) == (1, 2)
        assert catalog("scan", folder).code == 0
        assert index_calls(server) == 2


def test_a_photo_that_arrives_later_is_not_sent(catalog, tmp_path, serving):
    """The JPEG was sent last month; its original comes from the camera today."""
    folder = tmp_path / "later"
    save(portrait("obama_1.jpg"), folder / "IMG_0001.JPG", MOMENT)
    with serving() as server:
        assert catalog("scan", folder).code == 0
        save(portrait("obama_1.jpg"), folder / "IMG_0001.AVIF", MOMENT)
        save(portrait("obama_1.jpg").convert("L").convert("RGB"), folder / "IMG_E0001.JPG", MOMENT)
        plan = catalog("scan", folder, "--dry-run", "--json").json
        assert (plan["stacked"], plan["dollars"]) == (2, 0)
        assert catalog("scan", folder).code == 0
        assert index_calls(server) == 1


def test_a_parted_photo_and_the_setting_send_what_was_not_sent(catalog, tmp_path, serving, monkeypatch):
    """The next scan pays for it, and its plan says so."""
    folder = tmp_path / "part"
    save(portrait("obama_1.jpg"), folder / "IMG_0001.AVIF", MOMENT)
    save(portrait("obama_1.jpg"), folder / "IMG_0001.JPG", MOMENT)
    save(portrait("obama_1.jpg"), folder / "IMG_0001.PNG", MOMENT)
    with serving() as server:
        assert catalog("scan", folder).code == 0
        assert index_calls(server) == 1
        answer = catalog("stacks", "part", folder / "IMG_0001.PNG")
        assert answer.code == 0
        assert "next scan sends it" in answer.out
        monkeypatch.setenv("CATALOG_SCAN_STACKS", "false")
        plan = catalog("scan", folder, "--dry-run", "--json").json
        (index,) = [call for call in plan["calls"] if call["operation"] == "IndexFaces"]
        assert index["calls"] == 2
        assert catalog("scan", folder).code == 0
        assert index_calls(server) == 3
