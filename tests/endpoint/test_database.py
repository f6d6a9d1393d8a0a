"""Where collections live: memory, a file, PostgreSQL, or the catalogue itself when it is named."""

from __future__ import annotations

import pytest
from sqlalchemy import update

from catalog.domain.errors import DatabaseError
from catalog.endpoint.database import MEMORY, open_data, writing
from catalog.endpoint.factory import open_endpoint
from catalog.engines.local.tables import gallery_collections
from tests.endpoint.wire import client_of, portrait, refused


def tell_a_story(url):
    """A little of everything that touches the database; leaves a face of a user behind."""
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


def test_postgresql_serves_as_well(blank_postgresql_url):
    """The tables are made where they are missing."""
    with open_endpoint(blank_postgresql_url) as server, server.in_background() as url:
        tell_a_story(url)
    with open_endpoint(blank_postgresql_url) as server, server.in_background() as url:
        assert client_of(url).describe_collection(CollectionId="one")["FaceCount"] == 1


def test_the_catalogue_serves_when_it_is_named(database_url):
    """On both databases; its own tables stay as they are."""
    with open_endpoint(database_url) as server, server.in_background() as url:
        tell_a_story(url)


def test_a_collection_of_other_networks_is_not_mixed_with_ours(tmp_path):
    """After an update of the networks it can be described and deleted, and a new one takes its place."""
    data = str(tmp_path / "data.sqlite3")
    with open_endpoint(data) as server, server.in_background() as url, open_data(data) as database:
        client = client_of(url)
        ours = client.create_collection(CollectionId="c")["FaceModelVersion"]
        with writing(database) as connection:
            connection.execute(update(gallery_collections).values(model="older networks"))
        theirs = client.describe_collection(CollectionId="c")["FaceModelVersion"]
        assert theirs != ours
        with refused("InvalidParameterException") as error:
            client.index_faces(CollectionId="c", Image={"Bytes": portrait("biden")})
        assert theirs in str(error.value)
        assert ours in str(error.value)
        client.delete_collection(CollectionId="c")
        assert client.create_collection(CollectionId="c")["FaceModelVersion"] == ours


def test_memory_is_forgotten(tmp_path, monkeypatch):
    """Nothing is left on the disk."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    with open_data(MEMORY):
        assert list(tmp_path.iterdir())
    assert list(tmp_path.iterdir()) == []


def test_a_file_is_its_owners(tmp_path):
    """Faces are nobody else's business."""
    with open_data(str(tmp_path / "new" / "data.sqlite3")):
        assert (tmp_path / "new" / "data.sqlite3").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("address", ["mysql://here/there", "", "postgresql://127.0.0.1:1/nobody", "/proc/data"])
def test_an_address_that_cannot_be_used_is_told(address):
    """With the sentence of the catalogue's own database."""
    with pytest.raises(DatabaseError), open_data(address):
        pass
