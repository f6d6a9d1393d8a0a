"""A scan on a cluster leaves the rows of a scan in one process, from folders and S3, with both engines."""

from __future__ import annotations

import os
import pickle
import uuid

import boto3
import pytest
from moto.server import ThreadedMotoServer

import catalog
from catalog.app.photo_preparation import PreparationChunk
from catalog.domain.photos import OutcomeKind
from catalog.scanning.photo_task import PhotoTask
from catalog.web.endpoint_server import open_endpoint


def kinds(outcomes):
    return {outcome.uri.rpartition("/")[2]: outcome.kind for outcome in outcomes}


def test_a_cluster_scan_equals_a_scan_in_one_process(cluster, scan, rows, photos, database_url, tmp_path):
    """Photos, locations, faces with attributes, persons and problems are equal on SQLite and PostgreSQL."""
    alone = str(tmp_path / "alone.sqlite3")
    expected = scan(alone, photos)
    outcomes = scan(database_url, photos, cluster)
    assert kinds(outcomes) == kinds(expected)
    assert kinds(outcomes)["damaged.jpg"] is OutcomeKind.FAILED
    assert sum(outcome.faces for outcome in outcomes) == 5
    assert rows(database_url) == rows(alone)


def test_the_next_scan_computes_no_face_of_known_content(cluster, scan, photos, tmp_path, monkeypatch):
    """A photo whose time changed is hashed and recognized; a new copy is a duplicate."""
    database = str(tmp_path / "catalog.sqlite3")
    scan(database, photos, cluster)
    os.utime(photos / "obama_1.jpg", (1, 1))
    (photos / "again.jpg").write_bytes((photos / "obama_1.jpg").read_bytes())
    prepared, read_elsewhere = [], PhotoTask.read_elsewhere

    def read(task, sha256, size, photo, dates):
        prepared.append((task.ref.uri, photo))
        return read_elsewhere(task, sha256, size, photo, dates)

    monkeypatch.setattr(PhotoTask, "read_elsewhere", read)
    outcomes = kinds(scan(database, photos, cluster))
    assert outcomes["obama_1.jpg"] is OutcomeKind.UNCHANGED
    assert outcomes["again.jpg"] is OutcomeKind.DUPLICATE
    assert outcomes["biden.jpg"] is OutcomeKind.UNCHANGED
    assert [photo for uri, photo in prepared if uri.endswith("/obama_1.jpg")] == [None]


def test_the_next_scan_marks_missing_photos_and_finds_moved_ones(cluster, scan, rows, photos, tmp_path):
    """A deleted file is missing afterwards. A renamed one keeps its face."""
    database = str(tmp_path / "catalog.sqlite3")
    scan(database, photos, cluster)
    faces = rows(database)["faces"]
    (photos / "copy.jpg").unlink()
    (photos / "obama_1.jpg").rename(photos / "renamed.jpg")
    outcomes = kinds(scan(database, photos, cluster))
    assert outcomes["renamed.jpg"] is OutcomeKind.MOVED
    after = rows(database)
    missing = [row for row in after["locations"] if not row.endswith("None)")]
    assert [name for name in ("copy.jpg", "obama_1.jpg") if any(f"/{name}'" in row for row in missing)] == [
        "copy.jpg",
        "obama_1.jpg",
    ]
    assert len(missing) == 2
    assert after["faces"] == faces


def test_photos_in_s3_are_read_by_the_workers(cluster, scan, rows, photos, tmp_path, monkeypatch):
    """The workers use the credentials of their own environment."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        url = f"http://127.0.0.1:{server.get_host_and_port()[1]}"
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "a")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "b")
        client = boto3.client("s3", endpoint_url=url, region_name="us-east-1")
        bucket = f"photos-{uuid.uuid4()}"
        client.create_bucket(Bucket=bucket)
        for photo in photos.iterdir():
            client.upload_file(str(photo), bucket, f"Ürlaub 1/{photo.name}")
        address, alone, together = f"s3://{bucket}/Ürlaub 1/", tmp_path / "alone.sqlite3", tmp_path / "together.sqlite3"
        scan(str(alone), address, s3__endpoint_url=url)
        outcomes = scan(str(together), address, cluster, s3__endpoint_url=url)
    finally:
        server.stop()
    assert kinds(outcomes)["biden.jpg"] is OutcomeKind.NEW
    assert rows(str(together)) == rows(str(alone))


@pytest.mark.parametrize("prefilter", [False, True])
def test_the_coordinator_alone_calls_the_paid_engine(cluster, scan, rows, photos, tmp_path, monkeypatch, prefilter):
    """Each content is sent once, and the charges are those of one process, also with the prefilter."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "a")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "b")
    recorded = []
    for name, workers in (("alone", None), ("together", cluster)):
        with open_endpoint() as server, server.in_background() as url:
            database = str(tmp_path / f"{name}.sqlite3")
            scan(
                database,
                photos,
                workers,
                engine__name="rekognition",
                rekognition__region="us-east-1",
                rekognition__endpoint_url=url,
                rekognition__calls_per_second=500.0,
                scan__prefilter=prefilter,
                scan__prefilter_sample=0.0,
            )
            recorded.append((rows(database), server.service.tally["IndexFaces", ""]))
    assert recorded[0] == recorded[1]
    assert recorded[0][1] == (5 if prefilter else 6)


def test_limits_hold_on_a_cluster(cluster, scan, many, tmp_path):
    """``photos`` is the number of photos that are read."""
    with catalog.open(tmp_path / "catalog.sqlite3", create=True) as opened:
        run = opened.scan([many], limits=catalog.ScanLimits(photos=5), cluster=cluster)
        assert len(list(run)) == 5


def test_a_task_holds_no_credentials(photos, tmp_path, monkeypatch):
    """What is sent to workers contains neither the database's address nor AWS credentials."""
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret-of-aws")
    sent = []

    class Recorder:
        threads = 1

        def check(self, requirements):
            sent.append(requirements)
            return {}

        def submit(self, chunk):
            sent.append(chunk)
            raise AssertionError("nothing is computed here")

        def drop(self):
            """Nothing is open."""

    url = f"sqlite:///{tmp_path}/secret-database.sqlite3"
    with catalog.open(url, create=True) as opened, pytest.raises(AssertionError):
        list(opened.scan([photos], cluster=Recorder()))
    assert any(isinstance(item, PreparationChunk) for item in sent)
    payload = pickle.dumps(sent)
    assert b"secret" not in payload
    assert b"photos" in payload
