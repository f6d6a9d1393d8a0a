"""Databases of collections: temporary, a file, PostgreSQL, and a catalogue."""

from __future__ import annotations

import numpy as np
import pytest
from sqlalchemy import update

from catalog.domain.errors import DatabaseError
from catalog.domain.faces import BoundingBox
from catalog.endpoint.database import MEMORY, open_data, writing
from catalog.endpoint.local_engine_access import LocalEngineAccess
from catalog.engines.local.gallery import LocalGallery, NewFace
from catalog.engines.local.tables import gallery_collections
from catalog.web.endpoint_server import open_endpoint
from tests.endpoint.wire import client_of, portrait, refused


def exercise_database(url):
    """Run operations that use every table. Collection "one" keeps one face, which has a user."""
    client = client_of(url)
    for name in ("one", "two", "three"):
        client.create_collection(CollectionId=name, Tags={"k": name})
    pages = client.get_paginator("list_collections").paginate(PaginationConfig={"PageSize": 1})
    assert [name for page in pages for name in page["CollectionIds"]] == ["one", "two", "three"]
    for name in ("u", "v", "w"):
        client.create_user(CollectionId="one", UserId=name)
    pages = client.get_paginator("list_users").paginate(CollectionId="one", PaginationConfig={"PageSize": 1})
    assert [user["UserId"] for page in pages for user in page["Users"]] == ["u", "v", "w"]
    ids = [
        client.index_faces(CollectionId="one", Image={"Bytes": portrait(name)})["FaceRecords"][0]["Face"]["FaceId"]
        for name in ("obama_1", "biden")
    ]
    client.associate_faces(CollectionId="one", UserId="u", FaceIds=ids[:1])
    assert client.delete_faces(CollectionId="one", FaceIds=ids)["DeletedFaces"] == ids[1:]
    assert client.search_users(CollectionId="one", FaceId=ids[0])["UserMatches"][0]["User"]["UserId"] == "u"
    client.delete_collection(CollectionId="two")


def test_postgresql_keeps_collections(blank_postgresql_url):
    """Missing tables are created. Collections are kept between two runs."""
    with open_endpoint(blank_postgresql_url) as server, server.in_background() as url:
        exercise_database(url)
    with open_endpoint(blank_postgresql_url) as server, server.in_background() as url:
        assert client_of(url).describe_collection(CollectionId="one")["FaceCount"] == 1


def test_a_catalogue_can_hold_collections(database_url):
    """On SQLite and PostgreSQL."""
    with open_endpoint(database_url) as server, server.in_background() as url:
        exercise_database(url)


def test_a_collection_of_another_face_model_cannot_be_searched(tmp_path):
    """After an update of the networks an old collection can be described and deleted, and then created again."""
    data = str(tmp_path / "data.sqlite3")
    with open_endpoint(data) as server, server.in_background() as url, open_data(data) as database:
        client = client_of(url)
        current = client.create_collection(CollectionId="c")["FaceModelVersion"]
        with writing(database) as connection:
            connection.execute(update(gallery_collections).values(model="older model"))
        outdated = client.describe_collection(CollectionId="c")["FaceModelVersion"]
        assert outdated != current
        with refused("InvalidParameterException") as error:
            client.index_faces(CollectionId="c", Image={"Bytes": portrait("biden")})
        assert outdated in str(error.value)
        assert current in str(error.value)
        client.delete_collection(CollectionId="c")
        assert client.create_collection(CollectionId="c")["FaceModelVersion"] == current


def test_the_temporary_database_is_removed(tmp_path, monkeypatch):
    """The temporary folder is empty after the endpoint ends."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    with open_data(MEMORY):
        assert list(tmp_path.iterdir())
    assert list(tmp_path.iterdir()) == []


def test_only_the_owner_can_read_the_database_file(tmp_path):
    """Face vectors are biometric data."""
    with open_data(str(tmp_path / "new" / "data.sqlite3")):
        assert (tmp_path / "new" / "data.sqlite3").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("address", ["mysql://host/name", "", "postgresql://127.0.0.1:1/name", "/proc/data"])
def test_an_unusable_address_raises_database_error(address):
    """As for the catalogue's own database."""
    with pytest.raises(DatabaseError), open_data(address):
        pass


def test_a_gallery_of_the_catalogue_is_a_collection_of_every_region(tmp_path):
    """Galleries that the endpoint did not create have no region and account. They can be read from all of them."""
    data = str(tmp_path / "data.sqlite3")
    with open_endpoint(data) as server, server.in_background() as url, open_data(data) as database:
        model = LocalEngineAccess(database).model
        face = NewFace(BoundingBox(0, 0, 1, 1), 99.0, np.eye(1, 128, dtype=np.float32)[0])
        LocalGallery(database, "default", model).enroll("0" * 64, [face])
        for client in (client_of(url), client_of(url, region="ap-south-1")):
            assert client.list_collections()["CollectionIds"] == ["default"]
            assert client.describe_collection(CollectionId="default")["FaceCount"] == 1
            with refused("ResourceAlreadyExistsException"):
                client.create_collection(CollectionId="default")
