"""Commands create the catalogue, or report that it does not exist."""

from __future__ import annotations

import pytest


@pytest.mark.parametrize(
    "command",
    [
        "people name Ann Anna",
        "people merge Ann Anna",
        "people suggest",
        "people recluster --apply",
        "people migrate --engine local",
        "people forget Ann --yes",
        "undo",
        "why 1",
        "evaluate",
        "find-person --person Ann",
        "verify 7 {photo}",
        "watch check",
        "watch remove Ann",
        "watch hits",
        "import csv {names}",
        "import xmp",
        "prune",
        "report people",
        "people list",
        "sql SELECT",
        "export csv {photo}.d",
        "costs",
    ],
)
def test_a_mistyped_path_is_an_error(catalog, portraits, tmp_path, command):
    """Commands that need a catalogue report that it is missing, and create none."""
    names = tmp_path / "names.csv"
    names.write_text("person_id,name\n1,Ann\n")
    words = command.format(photo=portraits / "biden.jpg", names=names).split()
    missing = tmp_path / "none" / "mistyped.sqlite3"
    answer = catalog(*words, "--database", missing)
    assert answer.code == 6
    assert f'There is no catalogue at "{missing}".' in answer.err
    assert not missing.parent.exists()


@pytest.mark.parametrize("command", ["scan {folder}", "enroll 7 {photo}", "watch add Ann {photo}"])
def test_a_command_that_starts_a_catalogue_creates_it(catalog, portraits, tmp_path, command):
    """The first scan, the first employee, the first entry of the watch list."""
    begun = tmp_path / "new" / "catalog.sqlite3"
    answer = catalog(*command.format(folder=portraits, photo=portraits / "biden.jpg").split(), "--database", begun)
    assert answer.code == 0
    assert begun.exists()
