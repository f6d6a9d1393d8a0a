"""Persons of interest, from the list to the alarm, on real portraits."""

from __future__ import annotations

import json
import stat
from operator import itemgetter

import pytest

from tests.cli.conftest import PORTRAITS


@pytest.fixture
def watching(catalog):
    """Somebody is on the list before the first scan."""
    assert catalog("watch", "add", "Person X", PORTRAITS / "obama_1.jpg", "--threshold", "80").code == 0


def add_photo(folder, portrait, name):
    """The same face on another photo: a few bytes after its end make it new, and change nothing that is seen."""
    (folder / name).write_bytes((PORTRAITS / portrait).read_bytes() + b"again")


@pytest.mark.usefixtures("watching")
def test_each_scan_tells_new_hits_only(catalog, portraits):
    """With number, state, similarity and photo, and with the sentence that a person must look."""
    first = catalog("scan", portraits)
    assert (first.code, first.out.count("obama"), first.out.count("biden")) == (0, 3, 0)
    assert "Compare both photos" in first.err
    again = catalog("scan", portraits)
    assert "obama" not in again.out + again.err
    add_photo(portraits, "obama_2.jpg", "new.jpg")
    later = catalog("scan", portraits)
    assert (later.out.count("new.jpg"), later.out.count("obama")) == (1, 0)


@pytest.mark.usefixtures("watching")
def test_a_dismissed_hit_does_not_come_back(catalog, portraits):
    """Nor after the photo was moved, or the face found another person."""
    catalog("scan", portraits)
    numbers = [hit["hit"] for hit in catalog("watch", "hits", "--json").json]
    assert catalog("watch", "dismiss", *numbers).code == 0
    (portraits / "obama_3.jpg").rename(portraits / "moved.jpg")
    again = catalog("scan", portraits, "--json", "--fail-on", "hits")
    assert (again.code, again.json_lines[-1]["hits"]) == (0, [])
    assert catalog("watch", "check").code == 0


@pytest.mark.usefixtures("watching")
def test_a_scan_keeps_the_names_of_the_list_to_itself(catalog, portraits):
    """What it prints at night ends in logs; who asks for JSON gets them."""
    answer = catalog("scan", portraits, "-v", "-v")
    assert "Person X" not in answer.out + answer.err


@pytest.mark.usefixtures("watching")
def test_the_summary_holds_the_new_hits(catalog, portraits):
    """As `watch hits --json` tells them."""
    summary = catalog("scan", portraits, "--json").json_lines[-1]
    listed = catalog("watch", "hits", "--json").json
    assert sorted(summary["hits"], key=itemgetter("hit")) == sorted(listed, key=itemgetter("hit"))
    assert {hit["watch"] for hit in summary["hits"]} == {"Person X"}


@pytest.mark.usefixtures("watching")
def test_the_gate_closes_on_new_hits(catalog, portraits):
    """Once: the second scan brings none."""
    assert catalog("scan", portraits, "--fail-on", "hits").code == 9
    assert catalog("scan", portraits, "--fail-on", "hits").code == 0


@pytest.mark.usefixtures("watching")
def test_crops_of_new_hits_are_their_owners_only(catalog, portraits, tmp_path):
    """A picture for each hit, in a folder that nobody else may enter."""
    folder = tmp_path / "alerts" / "crops"
    hits = catalog("scan", portraits, "--json", "--crops", folder).json_lines[-1]["hits"]
    assert {path.name for path in folder.iterdir()} == {f"hit-{hit['hit']}.jpg" for hit in hits} != set()
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}


@pytest.mark.usefixtures("watching")
def test_the_command_after_a_scan_is_told_the_hits(catalog, portraits, tmp_path):
    """On its stdin, with the scan's exit code, whether or not there are any."""
    told = tmp_path / "told.json"
    command = f"cat >{told}"
    assert catalog("scan", portraits, "--post-command", command, "--fail-on", "hits").code == 9
    first = json.loads(told.read_text())
    assert (first["exit_code"], len(first["hits"]), first["discovered"]) == (9, 3, 5)
    catalog("scan", portraits, "--post-command", command)
    assert json.loads(told.read_text())["hits"] == []


@pytest.mark.usefixtures("watching")
def test_a_command_that_fails_changes_nothing(catalog, portraits, tmp_path):
    """That it did is told; the check's own answer stays."""
    catalog("scan", portraits)
    catalog("watch", "remove", "Person X")
    catalog("watch", "add", "Person Y", PORTRAITS / "obama_1.jpg", "--threshold", "80")
    told = tmp_path / "told.json"
    answer = catalog("watch", "check", "--hook", f"cat >{told}; exit 4", "--json")
    assert answer.code == 9
    assert "exit code 4" in answer.err
    assert json.loads(told.read_text()) == answer.json
