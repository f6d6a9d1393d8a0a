"""Fixtures: one endpoint over HTTP for all tests of this folder, and one collection per test."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import pytest

from catalog.web.endpoint_server import open_endpoint
from tests.endpoint.wire import client_of, portrait

_numbers = itertools.count()


@pytest.fixture(scope="session")
def url() -> Iterator[str]:
    """Address of an endpoint without injected faults."""
    with open_endpoint() as server, server.in_background() as address:
        yield address


@pytest.fixture(scope="session")
def rekognition(url: str) -> Any:
    """A boto3 client of the shared endpoint."""
    return client_of(url)


@pytest.fixture
def collection(rekognition: Any) -> Iterator[str]:
    """A new collection."""
    name = f"people-{next(_numbers)}"
    rekognition.create_collection(CollectionId=name)
    yield name
    if name in rekognition.list_collections(MaxResults=4096)["CollectionIds"]:
        rekognition.delete_collection(CollectionId=name)


@pytest.fixture
def index(rekognition: Any, collection: str) -> Any:
    """Function that indexes a portrait and returns its face id."""

    def index_portrait(name: str) -> str:
        answer = rekognition.index_faces(
            CollectionId=collection, Image={"Bytes": portrait(name)}, ExternalImageId=f"{name}.jpg"
        )
        (record,) = answer["FaceRecords"]
        face_id: str = record["Face"]["FaceId"]
        return face_id

    return index_portrait
