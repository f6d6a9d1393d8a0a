"""Scans with the Rekognition engine over HTTP: each content is paid for once, whatever happens on the way."""

from __future__ import annotations

import shutil
from contextlib import contextmanager

import boto3
import pytest
from moto.server import ThreadedMotoServer

from catalog.endpoint.faults import FaultPlan, Faults
from catalog.endpoint.opening import open_endpoint
from tests.endpoint.wire import client_of


@pytest.fixture
def serving(monkeypatch):
    """Starts an endpoint that the settings lead to."""

    @contextmanager
    def start(plan=None):
        with open_endpoint(plan=plan) as server, server.in_background() as url:
            for name, value in {
                "AWS_ACCESS_KEY_ID": "a",
                "AWS_SECRET_ACCESS_KEY": "b",
                "CATALOG_ENGINE_NAME": "rekognition",
                "CATALOG_REKOGNITION_REGION": "us-east-1",
                "CATALOG_REKOGNITION_ENDPOINT_URL": url,
                "CATALOG_REKOGNITION_CALLS_PER_SECOND": "500",
            }.items():
                monkeypatch.setenv(name, value)
            yield server

    return start


def indexed(server):
    return server.service.tally["IndexFaces", ""]


def test_each_content_is_indexed_once(catalog, portraits, serving, monkeypatch):
    """First scan, second scan, a duplicate, a rename, and a copy of the folder in S3: five photos, five calls."""
    with serving() as server:
        assert catalog("scan", portraits).code == 0
        assert indexed(server) == 5
        assert catalog("scan", portraits).code == 0
        shutil.copyfile(portraits / "biden.jpg", portraits / "a copy.jpg")
        (portraits / "obama_1.jpg").rename(portraits / "renamed.jpg")
        assert catalog("scan", portraits).code == 0
        s3 = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
        s3.start()
        try:
            url = f"http://127.0.0.1:{s3.get_host_and_port()[1]}"
            monkeypatch.setenv("CATALOG_S3_ENDPOINT_URL", url)
            client = boto3.client("s3", endpoint_url=url, region_name="us-east-1")
            client.create_bucket(Bucket="photos")
            for photo in portraits.iterdir():
                client.upload_file(str(photo), "photos", f"summer/{photo.name}")
            answer = catalog("scan", "s3://photos/summer")
        finally:
            s3.stop()
        assert answer.code == 0, answer.err
        assert indexed(server) == 5
        assert server.service.tally["DetectFaces", ""] == 0


def test_with_faults_no_photo_is_lost_and_none_enrolled_twice(catalog, portraits, serving):
    """A quarter of all calls fails or loses its answer."""
    with serving(FaultPlan(fail_rate=0.25, seed=2)) as server:
        answer = catalog("scan", portraits, "--json")
        assert answer.code == 0, answer.err
        summary = answer.json_lines[-1]
        assert (summary["new"], summary["failed"]) == (5, 0)
        assert sum(1 for _, error in server.service.tally if error) >= 2
    assert summary["faces"] == 5


def test_the_gallery_holds_what_the_catalogue_says(catalog, portraits, serving):
    """Every face of the catalogue is in the collection, and no other."""
    with serving(FaultPlan(fail_rate=0.25, seed=2)) as server:
        assert catalog("scan", portraits).code == 0
        server.service._faults = Faults(FaultPlan())
        held = {face["FaceId"] for face in client_of(server.url).list_faces(CollectionId="catalog")["Faces"]}
        known = catalog("sql", "SELECT face_id FROM v1_faces", "--format", "json").json
    assert {row["face_id"] for row in known} == held
    assert len(held) == 5


def test_a_limit_of_calls_ends_with_what_was_done(catalog, portraits, serving):
    """Two calls, two photos, exit code 7; the next scan does the rest."""
    with serving() as server:
        answer = catalog("scan", portraits, "--max-calls", "2", "--json")
        assert answer.code == 7
        assert indexed(server) == 2
        assert sum(n for (operation, _), n in server.service.tally.items() if operation.startswith("Search")) == 0
        assert catalog("scan", portraits).code == 0
        assert indexed(server) == 5
