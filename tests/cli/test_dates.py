"""``catalog dates``: corrections as a user types them."""

from __future__ import annotations

import shutil

import pytest
from PIL import Image

from catalog.cli.main import run
from catalog.store.database import open_database
from tests.red_face_photos import add_person, add_photo

__all__ = ["add_person", "add_photo"]


@pytest.fixture
def database(tmp_path, sqlite_template):
    """A catalogue on SQLite for the commands."""
    shutil.copyfile(sqlite_template, tmp_path / "catalog.db")
    opened = open_database(str(tmp_path / "catalog.db"))
    yield opened
    opened.close()


@pytest.fixture
def dates(database, add_person, add_photo, tmp_path, capsys):
    """Runs a `dates` command on an album of two photos. Returns its exit code, output and messages."""
    add_person("Ada")
    for number in (1, 2):
        path = tmp_path / "album" / f"{number}.png"
        path.parent.mkdir(exist_ok=True)
        Image.new("RGB", (20, 20), (number, 0, 0)).save(path)
        add_photo(path)

    def command(*words: str) -> tuple[int, str, str]:
        capsys.readouterr()
        code = run([*words, "--database", str(database.path)])
        return code, *capsys.readouterr()

    return command


def test_a_folder_is_dated_shifted_and_undone(dates, tmp_path):
    """A negative shift is no option."""
    album = str(tmp_path / "album")
    assert dates("dates", "set", album, "2004-06-12T10:00")[0] == 0
    code, output, _ = dates("dates", "shift", album, "-1d2h")
    assert (code, output.partition(".")[0]) == (0, "2 photos dated")
    _, shown, _ = dates("dates", "show", f"{album}/1.png")
    assert shown.split()[:3] == ["2004-06-11T08:00", "minute,", "user"]
    assert dates("undo")[0] == 0
    _, history, _ = dates("people", "history")
    assert "2004-06-12T10:00 for album" in history
    _, shown, _ = dates("dates", "show", album)
    assert [line.split()[0] for line in shown.splitlines()] == ["2004-06-12T10:00"] * 2


def test_a_stack_is_dated(dates, tmp_path):
    """In the order of the names."""
    assert dates("dates", "stack", str(tmp_path / "album"), "1948", "1952")[0] == 0
    _, shown, _ = dates("dates", "show", str(tmp_path / "album"))
    assert [line.split()[0] for line in shown.splitlines()] == ["1948", "1952"]


@pytest.mark.parametrize(
    "words",
    [("set", "album", "someday"), ("set", "nowhere", "1948"), ("shift", "album", "2x"), ("shift", "album", "1h")],
)
def test_a_mistake_is_named_and_changes_nothing(dates, tmp_path, words):
    """Exit code 2 with one sentence and a remedy."""
    command, target, value = words
    code, output, message = dates("dates", command, str(tmp_path / target), value)
    assert (code, output) == (2, "")
    assert message.startswith("catalog: ")
    assert dates("people", "history")[1].strip() == "The decision log is empty."
