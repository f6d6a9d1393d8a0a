"""Names without a detected face follow the decisions about their persons: merge, rename, undo, forget."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

import catalog
from catalog.domain.decisions import Verb

XMP = """<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:mwg-rs="http://www.metadataworkinggroup.com/schemas/regions/"
 xmlns:stArea="http://ns.adobe.com/xmp/sType/Area#" xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/">
<mwg-rs:Regions rdf:parseType="Resource"><mwg-rs:RegionList><rdf:Bag>{regions}</rdf:Bag></mwg-rs:RegionList>
</mwg-rs:Regions><Iptc4xmpExt:PersonInImage><rdf:Bag>{names}</rdf:Bag></Iptc4xmpExt:PersonInImage>
</rdf:Description></rdf:RDF></x:xmpmeta>"""
REGION = """<rdf:li><rdf:Description mwg-rs:Name="{name}" mwg-rs:Type="Face"><mwg-rs:Area stArea:x="{x}" stArea:y="0.5"
 stArea:w="0.2" stArea:h="0.3" stArea:unit="normalized"/></rdf:Description></rdf:li>"""


def write_names(photo: Path, regions: dict[str, float], names: tuple[str, ...] = ()) -> None:
    """A sidecar with regions at these horizontal centers, and names without a position."""
    drawn = "".join(REGION.format(name=name, x=x) for name, x in regions.items())
    listed = "".join(f"<rdf:li>{name}</rdf:li>" for name in names)
    Path(f"{photo}.xmp").write_text(XMP.format(regions=drawn, names=listed))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two photos without a face: Ann and Ben from behind, Ann and Cid by a list of names."""
    folder = tmp_path / "album"
    folder.mkdir()
    for number in (1, 2):
        Image.new("RGB", (200, 100), "gray").save(folder / f"{number}.png", pnginfo=None, dpi=(number, number))
    write_names(folder / "1.png", {"Ann": 0.2, "Ben": 0.7})
    write_names(folder / "2.png", {}, ("Ann", "Cid"))
    return folder


@pytest.fixture
def opened(tmp_path: Path, folder: Path, database_url: str) -> Iterator[catalog.Catalog]:
    with catalog.open(database_url, user="me") as c:
        for outcome in c.scan([folder]):
            assert outcome.kind == "new"
        assert c.import_xmp().appearances == 4
        yield c


def names(c: catalog.Catalog) -> list[tuple[str, str]]:
    with c._resources.database.read() as connection:
        rows = connection.exec_driver_sql("SELECT path, name FROM v1_named_appearances ORDER BY path, name").all()
    return [(Path(str(path)).name, str(name)) for path, name in rows]


ALL = [("1.png", "Ann"), ("1.png", "Ben"), ("2.png", "Ann"), ("2.png", "Cid")]


def test_a_merge_and_a_new_name_reach_them_and_undo_brings_them_back(opened: catalog.Catalog) -> None:
    assert names(opened) == ALL
    opened.decisions.merge("Ann", "Cid")
    assert sorted(set(names(opened))) == [("1.png", "Ann"), ("1.png", "Ben"), ("2.png", "Ann")]
    opened.decisions.name("Ben", "Benjamin")
    assert ("1.png", "Benjamin") in names(opened)
    opened.decisions.undo()
    opened.decisions.undo()
    assert names(opened) == ALL


def test_an_import_that_changes_nothing_decides_nothing(opened: catalog.Catalog) -> None:
    before = opened.decisions.history()
    assert opened.import_xmp().appearances == 4
    assert opened.decisions.history() == before
    assert names(opened) == ALL


def test_undo_takes_an_import_back_and_redo_repeats_it(opened: catalog.Catalog, folder: Path) -> None:
    """The first one with its persons; a later one alone, to what the first one stated."""
    write_names(folder / "1.png", {"Ann": 0.2, "Dora": 0.7})
    opened.import_xmp()
    changed = [("1.png", "Ann"), ("1.png", "Dora"), *ALL[2:]]
    assert names(opened) == changed
    opened.decisions.undo()
    assert names(opened) == ALL
    opened.decisions.redo()
    assert names(opened) == changed
    opened.decisions.undo()
    opened.decisions.undo()
    assert names(opened) == []
    opened.decisions.redo()
    assert names(opened) == ALL
    assert opened.import_xmp().appearances == 4


def test_a_forgotten_person_is_on_no_photo_and_an_import_does_not_bring_the_place_back(
    opened: catalog.Catalog, folder: Path, tmp_path: Path
) -> None:
    """Also not by undo of the import, nor by a name of another file at the place. A name without a place may return."""
    labels = tmp_path / "labels.json"
    opened.forget("Ben")
    rest = [ALL[0], *ALL[2:]]
    assert names(opened) == rest
    opened.import_xmp()
    assert names(opened) == rest
    opened.backup(labels, labels_only=True)
    assert "Ben" not in labels.read_text()
    group = next(decision for decision in opened.decisions.history() if decision.verb is Verb.APPEAR)
    opened.decisions.undo(group.number)
    assert names(opened) == []
    opened.decisions.redo()
    assert names(opened) == rest


def test_labels_with_such_a_decision_are_restored(opened: catalog.Catalog, tmp_path: Path) -> None:
    """Into another catalogue, whose next import states the names."""
    labels = tmp_path / "labels.json"
    opened.backup(labels, labels_only=True)
    with catalog.open(tmp_path / "other.sqlite3", create=True, user="me") as other:
        other.restore(labels)
        assert any(decision.verb is Verb.APPEAR for decision in other.decisions.history())
        assert names(other) == []
