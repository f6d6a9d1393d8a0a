"""Persons of interest, from the list to the alarm, on real portraits."""

from __future__ import annotations

import json
import stat
from operator import itemgetter

import pytest
from PIL import Image

from tests.cli.conftest import PORTRAITS


@pytest.fixture
def watching(catalog):
    """A person is on the watch list before the first scan."""
    assert catalog("watch", "add", "Person X", PORTRAITS / "obama_1.jpg", "--threshold", "80").code == 0


def add_photo(folder, portrait, name):
    """The same face on another photo: a few bytes after its end make it new, and change nothing that is seen."""
    (folder / name).write_bytes((PORTRAITS / portrait).read_bytes() + b"again")


@pytest.mark.usefixtures("watching")
def test_each_scan_prints_new_hits_only(catalog, portraits):
    """With number, state, similarity, photo and the advice to compare both photos."""
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
    """Also after the photo was moved, or the face was assigned to another person."""
    catalog("scan", portraits)
    numbers = [hit["hit"] for hit in catalog("watch", "hits", "--json").json]
    assert catalog("watch", "dismiss", *numbers).code == 0
    (portraits / "obama_3.jpg").rename(portraits / "moved.jpg")
    again = catalog("scan", portraits, "--json", "--fail-on", "hits")
    assert (again.code, again.json_lines[-1]["hits"]) == (0, [])
    assert catalog("watch", "check").code == 0


@pytest.mark.usefixtures("watching")
def test_a_scan_prints_no_names_of_the_watch_list(catalog, portraits):
    """Its output is stored in logs. JSON output holds the names."""
    answer = catalog("scan", portraits, "-v", "-v")
    assert "Person X" not in answer.out + answer.err


@pytest.mark.usefixtures("watching")
def test_the_summary_holds_the_new_hits(catalog, portraits):
    """With the fields of `watch hits --json`."""
    summary = catalog("scan", portraits, "--json").json_lines[-1]
    listed = catalog("watch", "hits", "--json").json
    assert sorted(summary["hits"], key=itemgetter("hit")) == sorted(listed, key=itemgetter("hit"))
    assert {hit["watch"] for hit in summary["hits"]} == {"Person X"}


@pytest.mark.usefixtures("watching")
def test_new_hits_fail_the_scan_once(catalog, portraits):
    """The second scan has no new hit."""
    assert catalog("scan", portraits, "--fail-on", "hits").code == 9
    assert catalog("scan", portraits, "--fail-on", "hits").code == 0


@pytest.mark.usefixtures("watching")
def test_only_the_owner_may_read_the_crops_of_new_hits(catalog, portraits, tmp_path):
    """One crop per hit, in a folder of mode 0700."""
    folder = tmp_path / "alerts" / "crops"
    hits = catalog("scan", portraits, "--json", "--crops", folder).json_lines[-1]["hits"]
    assert {path.name for path in folder.iterdir()} == {f"hit-{hit['hit']}.jpg" for hit in hits} != set()
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}
    assert {hit["crop"] for hit in hits} == {str(folder / f"hit-{hit['hit']}.jpg") for hit in hits}


@pytest.mark.usefixtures("watching")
def test_the_post_command_gets_the_hits(catalog, portraits, tmp_path):
    """On its stdin, with the exit code of the scan, also without a hit."""
    payload_file = tmp_path / "told.json"
    command = f"cat >{payload_file}"
    assert catalog("scan", portraits, "--post-command", command, "--fail-on", "hits").code == 9
    first = json.loads(payload_file.read_text())
    assert (first["exit_code"], len(first["hits"]), first["discovered"]) == (9, 3, 5)
    assert {hit["crop"] for hit in first["hits"]} == {None}
    catalog("scan", portraits, "--post-command", command)
    assert json.loads(payload_file.read_text())["hits"] == []


@pytest.mark.usefixtures("watching")
def test_the_post_command_gets_box_and_crop_of_each_hit(catalog, portraits, tmp_path):
    """The crop is a file when the command runs. The box is that of the face in the catalogue."""
    payload_file, folder = tmp_path / "payload.json", tmp_path / "crops"
    catalog("scan", portraits, "--crops", folder, "--post-command", f"cat >{payload_file}; ls {folder} >{tmp_path}/ls")
    hits = json.loads(payload_file.read_text())["hits"]
    names = [f"hit-{hit['hit']}.jpg" for hit in hits]
    assert sorted((tmp_path / "ls").read_text().split()) == sorted(names) != []
    assert [hit["crop"] for hit in hits] == [str(folder / name) for name in names]
    columns = "box_left, box_top, box_width, box_height, face_id"
    boxes = {row["face_id"]: row for row in catalog("sql", f"SELECT {columns} FROM v1_hits", "--format", "json").json}
    for hit in hits:
        row = boxes[hit["face"]]
        assert hit["box"] == {side: row[f"box_{side}"] for side in ("left", "top", "width", "height")}


@pytest.mark.usefixtures("watching")
def test_the_commands_run_although_no_crop_can_be_written(catalog, portraits, tmp_path):
    """The scan and the check end with a usage error afterwards."""
    payload_file = tmp_path / "payload.json"
    (tmp_path / "file").write_text("no folder")
    crops = ("--crops", tmp_path / "file" / "crops")
    assert catalog("scan", portraits, *crops, "--post-command", f"cat >{payload_file}").code == 2
    assert [hit["crop"] for hit in json.loads(payload_file.read_text())["hits"]] == [None] * 3
    catalog("watch", "remove", "Person X")
    catalog("watch", "add", "Person Y", PORTRAITS / "obama_1.jpg", "--threshold", "80")
    assert catalog("watch", "check", *crops, "--hook", f"cat >{payload_file}").code == 2
    assert [hit["crop"] for hit in json.loads(payload_file.read_text())] == [None] * 3


@pytest.mark.usefixtures("watching")
def test_a_command_that_fails_changes_nothing(catalog, portraits, tmp_path):
    """The failure is logged. The output of the check stays."""
    catalog("scan", portraits)
    catalog("watch", "remove", "Person X")
    catalog("watch", "add", "Person Y", PORTRAITS / "obama_1.jpg", "--threshold", "80")
    payload_file = tmp_path / "told.json"
    answer = catalog("watch", "check", "--hook", f"cat >{payload_file}; exit 4", "--json")
    assert answer.code == 9
    assert "exit code 4" in answer.err
    assert json.loads(payload_file.read_text()) == answer.json


def test_a_reference_without_a_face_is_named(catalog, tmp_path):
    """So that the user knows which of several photos to replace."""
    Image.new("RGB", (300, 300), "gray").save(tmp_path / "wall.jpg")
    answer = catalog("watch", "add", "X", PORTRAITS / "obama_1.jpg", tmp_path / "wall.jpg")
    assert answer.code == 2
    assert 'wall.jpg" shows no face.' in answer.err


def test_several_faces_on_a_reference_are_reported(catalog, tmp_path):
    """The largest is watched, which may be the wrong person."""
    both = Image.new("RGB", (900, 500))
    for left, name in ((0, "obama_1.jpg"), (450, "biden.jpg")):
        both.paste(Image.open(PORTRAITS / name).convert("RGB").resize((400, 500)), (left, 0))
    both.save(tmp_path / "both.jpg", quality=95)
    answer = catalog("watch", "add", "X", tmp_path / "both.jpg")
    assert answer.code == 0
    assert 'both.jpg" shows 2 faces. The largest one is used.' in answer.err


@pytest.mark.usefixtures("watching")
def test_hits_of_an_unknown_entry_are_refused(catalog):
    """An empty answer with exit code 0 would say that no hit is open."""
    answer = catalog("watch", "hits", "--name", "Person Y")
    assert answer.code == 2
    assert '"Person Y" is not on the watch list.' in answer.err
    assert catalog("watch", "hits", "--name", "Person X").code == 0


def test_an_empty_gallery_is_not_searched(catalog, serving):
    """Such a paid search could find nothing."""
    with serving():
        assert catalog("watch", "add", "X", PORTRAITS / "obama_1.jpg").code == 0
        assert catalog("watch", "check").code == 0
        charges = catalog("costs", "--json").json["month"]["charges"]
        assert [(row["operation"], row["calls"]) for row in charges] == [("DetectFaces", 1)]
        assert "$0.0010" in catalog("status").out


@pytest.mark.parametrize("command", [("analyze",), ("find-person",), ("verify", "1"), ("watch", "add", "X")])
def test_a_reference_in_s3_is_not_a_file(catalog, portraits, command):
    """The message has the remedy."""
    assert catalog("scan", portraits, "--limit", "1").code == 0
    answer = catalog(*command, "s3://bucket/photo.jpg")
    assert answer.code == 2
    assert "Download the photo from S3" in answer.err
