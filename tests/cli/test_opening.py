"""What is put together once and used again."""

from __future__ import annotations

import pytest

from catalog.app.resources import open_resources
from catalog.domain.photos import PhotoRef
from catalog.domain.source import Content


@pytest.fixture
def opened(monkeypatch):
    """The addresses of all sources in S3 that were opened."""
    addresses: list[str] = []

    class Bucket:
        def __init__(self, address: str, **_options: object) -> None:
            addresses.append(address)

        def open(self, ref: PhotoRef) -> Content:
            return Content(ref.uri.encode())

    monkeypatch.setattr("catalog.sources.s3.S3Source", Bucket)
    return addresses


def test_all_photos_of_a_bucket_are_read_by_one_client(tmp_path, opened):
    """Pages of ten thousand photos do not make ten thousand clients."""
    uris = ["s3://one/a/1.jpg", "s3://one/b/2.jpg", "s3://other/1.jpg", "s3://one/3.jpg"]
    with open_resources(None, str(tmp_path / "catalog.sqlite3"), 0) as catalog:
        for uri in uris:
            assert catalog.read_uri(uri) == uri.encode()
    assert opened == ["s3://one/", "s3://other/"]


def test_the_rules_are_those_of_the_settings(tmp_path, monkeypatch):
    """Each bar arrives where it belongs."""
    values = {"THRESHOLD": 0.31, "PAIR_PENALTY": 0.11, "MERGE_MARGIN": 0.05, "STRANGER_SIMILARITY": 0.2}
    for name, value in values.items():
        monkeypatch.setenv(f"CATALOG_IDENTITIES_LINKAGE_{name}", str(value))
    monkeypatch.setenv("CATALOG_IDENTITIES_SEARCH_LINKAGE_PAIR_PENALTY", "4.5")
    with open_resources(None, str(tmp_path / "catalog.sqlite3"), 0) as catalog:
        means, searches = catalog.rules.mean_linkage, catalog.rules.search_linkage
    assert (means.threshold, means.pair_penalty, means.merge_margin, means.stranger_similarity) == tuple(
        values.values()
    )
    assert (searches.pair_penalty, searches.stranger_similarity) == (4.5, 1.0)


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
    ],
)
def test_a_mistyped_path_is_not_answered_with_an_empty_catalogue(catalog, portraits, tmp_path, command):
    """Commands that need a catalogue say that there is none, and make none."""
    names = tmp_path / "names.csv"
    names.write_text("person_id,name\n1,Ann\n")
    words = command.format(photo=portraits / "biden.jpg", names=names).split()
    missing = tmp_path / "none" / "mistyped.sqlite3"
    answer = catalog(*words, "--database", missing)
    assert answer.code == 6
    assert f'There is no catalogue at "{missing}".' in answer.err
    assert not missing.parent.exists()


@pytest.mark.parametrize("command", ["scan {folder}", "enroll 7 {photo}", "watch add Ann {photo}"])
def test_a_command_that_begins_something_makes_the_catalogue(catalog, portraits, tmp_path, command):
    """The first scan, the first employee, the first on the watch list."""
    begun = tmp_path / "new" / "catalog.sqlite3"
    answer = catalog(*command.format(folder=portraits, photo=portraits / "biden.jpg").split(), "--database", begun)
    assert answer.code == 0
    assert begun.exists()
