"""Companions of photos in S3: which calls they cost, and how much of a damaged video is read."""

from __future__ import annotations

import struct

import pytest

from catalog.sources import s3_companions
from catalog.sources.s3_companions import S3Companions

XMP = (
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    b'<rdf:Description rdf:about="" xmlns:photoshop="http://ns.adobe.com/photoshop/1.0/"'
    b' photoshop:DateCreated="1987-06"/></rdf:RDF></x:xmpmeta>'
)


class Store:
    """Objects by key; the prefixes that were listed, and the keys that were read."""

    def __init__(self, objects: dict[str, bytes]) -> None:
        self.objects = objects
        self.listed: list[str] = []
        self.reads: list[str] = []
        self.companions = S3Companions(self.first_keys, self.part)

    def first_keys(self, prefix: str) -> list[str]:
        self.listed.append(prefix)
        return sorted(key for key in self.objects if key.startswith(prefix))[:1000]

    def part(self, key: str, offset: int, size: int) -> bytes:
        self.reads.append(key)
        return self.objects[key][offset : offset + size]

    def page(self, after: str, most: int) -> None:
        keys = sorted(key for key in self.objects if key > after)
        self.companions.add_page(after, keys[:most], has_more=len(keys) > most)

    def sources(self, key: str) -> list[str]:
        return [date.source.value for date in self.companions.read(key)[0]]


@pytest.fixture
def store() -> Store:
    photos = {f"a/IMG_{number}.jpg": b"photo" for number in range(10, 20)}
    return Store({**photos, "a/IMG_12.jpg.xmp": XMP, "a/IMG_19.XMP": XMP, "top.jpg": b"photo", "top.xmp": XMP})


def test_a_listing_makes_further_calls_needless(store: Store) -> None:
    store.page("", 1000)
    assert store.sources("a/IMG_12.jpg") == store.sources("a/IMG_19.jpg") == store.sources("top.jpg") == ["sidecar"]
    assert store.sources("a/IMG_10.jpg") == []
    assert store.listed == []
    assert sorted(store.reads) == ["a/IMG_12.jpg.xmp", "a/IMG_19.XMP", "top.xmp"]


def test_what_the_listing_has_not_reached_is_asked_for(store: Store) -> None:
    """The page ends with the photo; its sidecar is on the next page."""
    store.page("", 3)
    assert store.sources("a/IMG_12.jpg") == ["sidecar"]
    assert store.listed == ["a/IMG_12."]
    store.page("a/IMG_12.jpg", 1000)
    assert store.sources("a/IMG_12.jpg") == ["sidecar"]
    assert store.listed == ["a/IMG_12."]


def test_a_skipped_folder_and_forgotten_keys_are_asked_for(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """A listing that went on elsewhere knows nothing of what lies between, and old keys are forgotten."""
    monkeypatch.setattr(s3_companions, "_KEPT", 1)
    store.page("", 5)
    store.page("a/IMG_18.jpg", 1000)
    assert store.sources("a/IMG_12.jpg") == ["sidecar"]
    assert store.listed == ["a/IMG_12."]
    assert store.sources("top.jpg") == ["sidecar"]
    assert store.sources("a/IMG_19.jpg") == ["sidecar"]
    assert store.listed == ["a/IMG_12.", "a/IMG_19."]


def test_an_endless_video_costs_a_few_calls() -> None:
    boxes = struct.pack(">I4s", 8, b"free") * 5_000
    store = Store({"a/IMG_1.HEIC": b"photo", "a/IMG_1.MOV": boxes})
    store.page("", 1000)
    assert store.sources("a/IMG_1.HEIC") == []
    assert len(store.reads) <= 20
