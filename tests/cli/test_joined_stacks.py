"""Users decide which photos are one exposure, and dates that they set do not."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.apple_library import UUIDS, edit, original
from tests.cli.shot_files import MOMENT, names, portrait, save


@pytest.fixture(autouse=True)
def chosen_database(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each test runs on both databases."""
    monkeypatch.setenv("CATALOG_DATABASE_URL", database_url)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two photos of one man by two cameras, a scan of the first one, and a photo of another man."""
    folder = tmp_path / "library"
    save(portrait("obama_1.jpg"), folder / "a.jpg", MOMENT)
    save(portrait("obama_2.jpg"), folder / "b.jpg", MOMENT.replace(year=2021))
    save(portrait("obama_1.jpg").convert("L").convert("RGB"), folder / "scan" / "c.jpg", MOMENT.replace(year=2023))
    save(portrait("biden.jpg"), folder / "d.jpg", None)
    return folder


def counted_photos(catalog) -> list[int]:
    return sorted(person["photos"] for person in catalog("people", "list", "--json").json)


def test_joined_photos_count_once_and_the_decision_is_undoable(catalog, folder):
    """Different times do not matter. The stack survives rescans and a part of one photo."""
    assert catalog("scan", folder).code == 0
    assert names(catalog("stacks", "list", "--json")) == []
    assert counted_photos(catalog) == [1, 3]
    answer = catalog("stacks", "join", folder / "a.jpg", folder / "b.jpg", folder / "scan" / "c.jpg")
    assert answer.code == 0
    assert "Joined" in answer.out
    for number in range(2):
        (stack,) = names(catalog("stacks", "list", "--json"))
        assert sorted(stack) == ["a.jpg", "b.jpg", "c.jpg"]
        assert max(counted_photos(catalog)) == 1
        save(portrait("astronaut.jpg"), folder / "new.jpg", None, quality=90 + number)
        assert catalog("scan", folder).code == 0
        (folder / "new.jpg").unlink()
        assert catalog("scan", folder).code == 0
    assert {row["evidence"] for row in catalog("stacks", "list", "--json").json_lines} == {None, "user"}
    assert catalog("stacks", "part", folder / "b.jpg").code == 0
    assert [sorted(stack) for stack in names(catalog("stacks", "list", "--json"))] == [["a.jpg", "c.jpg"]]
    assert catalog("stacks", "join", folder / "b.jpg", folder / "a.jpg").code == 0
    assert len(names(catalog("stacks", "list", "--json"))[0]) == 3
    for left in (2, 3, 0):
        assert catalog("undo").code == 0
        assert sum(map(len, names(catalog("stacks", "list", "--json")))) == left
    assert "join" in catalog("people", "history").out


def test_what_cannot_be_joined_is_one_sentence(catalog, folder):
    """Nothing is joined. A folder with one photo names that photo."""
    assert catalog("scan", folder).code == 0
    for files, sentence in (
        (["a.jpg"], "two photos"),
        (["a.jpg", "a.jpg"], "two photos"),
        (["a.jpg", "none.jpg"], "no photo"),
        (["a.jpg", "."], "several photos"),
        (["a.jpg", "x" * 5000], "no photo"),
    ):
        answer = catalog("stacks", "join", *(folder / name for name in files))
        assert answer.code == 2, files
        assert sentence in answer.err
        assert len(answer.err) < 1000
        assert names(catalog("stacks", "list", "--json")) == []
    assert catalog("stacks", "join", folder / "a.jpg", folder / "scan").code == 0


def test_joined_photos_again_or_with_stacks_switched_off_are_refused(catalog, folder, monkeypatch):
    assert catalog("scan", folder).code == 0
    assert catalog("stacks", "join", folder / "a.jpg", folder / "b.jpg").code == 0
    assert "one stack already" in catalog("stacks", "join", folder / "b.jpg", folder / "a.jpg").err
    monkeypatch.setenv("CATALOG_SCAN_STACKS", "false")
    assert "switched off" in catalog("stacks", "join", folder / "a.jpg", folder / "d.jpg").err


def test_one_date_for_a_folder_makes_no_stack_of_a_burst(catalog, tmp_path):
    """The names differ as those of copies do, and the images are similar. The times in the files still differ."""
    folder = tmp_path / "burst"
    image = portrait("obama_1.jpg")
    for number in range(3):
        save(image, folder / f"DSC_0001-{number}.JPG", MOMENT.replace(second=number), quality=92 - number)
    assert catalog("scan", folder).code == 0
    for date in ("2019-07-04", "2019-07-04T14:30:25", "unknown"):
        assert catalog("dates", "set", folder, date).code == 0
        save(portrait("biden.jpg"), folder / f"{date[:12]}.jpg", None, quality=50 + len(date))
        assert catalog("scan", folder).code == 0
        assert names(catalog("stacks", "list", "--json")) == []


def test_one_date_for_a_folder_makes_no_stack_of_one_name(catalog, tmp_path):
    """Two photos without a date whose names say one exposure: a user's date confirms nothing."""
    folder = tmp_path / "pair"
    save(portrait("obama_1.jpg"), folder / "IMG_1.JPG", None)
    save(portrait("biden.jpg"), folder / "IMG_1.PNG", None)
    assert catalog("scan", folder).code == 0
    assert catalog("dates", "set", folder, "2019-07-04T14:30:25").code == 0
    save(portrait("obama_2.jpg"), folder / "new.jpg", None)
    assert catalog("scan", folder).code == 0
    assert names(catalog("stacks", "list", "--json")) == []


def test_an_edit_of_apple_photos_is_paid_with_its_original(catalog, tmp_path, serving):
    """Cropped, so that no hash says so. The plan says it before."""
    library = tmp_path / "Lib.photoslibrary"
    image = portrait("obama_1.jpg")
    save(image, original(library, UUIDS[0]), MOMENT)
    edit(library, UUIDS[0]).parent.mkdir(parents=True)
    image.crop((0, 0, image.width, image.height * 3 // 4)).save(edit(library, UUIDS[0]))
    with serving() as server:
        plan = catalog("scan", library, "--dry-run", "--json").json
        (index,) = [call for call in plan["calls"] if call["operation"] == "IndexFaces"]
        assert (plan["stacked"], index["calls"]) == (1, 1)
        assert catalog("scan", library).code == 0
        assert server.service.tally["IndexFaces", ""] == 1
        assert len(names(catalog("stacks", "list", "--json"))[0]) == 2
