"""Resources of an opened catalogue: each is opened once and used again."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

import pytest

from catalog.app.resources import Resources
from catalog.app.settings import load_settings
from catalog.domain.photos import PhotoRef
from catalog.domain.source import Content


def opened_resources(folder: Path, stack: ExitStack) -> Resources:
    return Resources(load_settings(flags={"database.url": str(folder / "catalog.sqlite3")}), stack)


@pytest.fixture
def opened_buckets(monkeypatch):
    """Addresses of all opened sources in S3."""
    addresses: list[str] = []

    class Bucket:
        def __init__(self, address: str, **_options: object) -> None:
            addresses.append(address)

        def open(self, ref: PhotoRef) -> Content:
            return Content(ref.uri.encode())

    monkeypatch.setattr("catalog.sources.s3.S3Source", Bucket)
    return addresses


def test_all_photos_of_a_bucket_are_read_by_one_client(tmp_path, opened_buckets):
    """Creating a client takes longer than reading a photo."""
    uris = ["s3://one/a/1.jpg", "s3://one/b/2.jpg", "s3://other/1.jpg", "s3://one/3.jpg"]
    with ExitStack() as stack:
        resources = opened_resources(tmp_path, stack)
        for uri in uris:
            assert resources.read_uri(uri) == uri.encode()
    assert opened_buckets == ["s3://one/", "s3://other/"]


def test_the_grouping_rules_are_those_of_the_settings(tmp_path, monkeypatch):
    """Each threshold of the settings reaches its field."""
    values = {"THRESHOLD": 0.31, "PAIR_PENALTY": 0.11, "MERGE_MARGIN": 0.05, "STRANGER_SIMILARITY": 0.2}
    for name, value in values.items():
        monkeypatch.setenv(f"CATALOG_IDENTITIES_LINKAGE_{name}", str(value))
    monkeypatch.setenv("CATALOG_IDENTITIES_SEARCH_LINKAGE_PAIR_PENALTY", "4.5")
    with ExitStack() as stack:
        resources = opened_resources(tmp_path, stack)
        means, searches = resources.rules.mean_linkage, resources.rules.search_linkage
    assert (means.threshold, means.pair_penalty, means.merge_margin, means.stranger_similarity) == tuple(
        values.values()
    )
    assert (searches.pair_penalty, searches.stranger_similarity) == (4.5, 1.0)
