"""Scans with the Rekognition engine over HTTP: each content is charged once, also after faults."""

from __future__ import annotations

import shutil
import uuid
from collections import Counter

import boto3
import pytest
from moto.server import ThreadedMotoServer

from catalog.domain.charges import Operation
from catalog.domain.photos import OutcomeKind
from catalog.endpoint.fault_injection import FaultPlan, Faults
from tests.endpoint.wire import client_of


@pytest.fixture
def bucket(monkeypatch):
    """Copies folders to prefixes of a new bucket on moto's server, which the settings name."""
    s3 = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    s3.start()
    url = f"http://127.0.0.1:{s3.get_host_and_port()[1]}"
    monkeypatch.setenv("CATALOG_S3_ENDPOINT_URL", url)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "a")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "b")
    client = boto3.client("s3", endpoint_url=url, region_name="us-east-1")
    name = f"photos-{uuid.uuid4()}"  # moto's servers of one process share their buckets
    client.create_bucket(Bucket=name)

    def copy(folder, prefix):
        for photo in folder.iterdir():
            client.upload_file(str(photo), name, f"{prefix}/{photo.name}")
        return f"s3://{name}/{prefix}"

    yield copy
    s3.stop()


def indexed(server):
    return server.service.tally["IndexFaces", ""]


def may_be_billed(server, operation):
    """Calls that the endpoint answered, or may have executed although the response failed or was lost."""
    return sum(server.service.tally[operation, error] for error in ("", "InternalServerError", "ConnectionDropped"))


def charged_calls(catalog):
    """Paid calls of this month by operation, from the charge log."""
    sums = Counter()
    for row in catalog("costs", "--json").json["month"]["charges"]:
        sums[row["operation"]] += row["calls"]
    return sums


def outcomes(answer):
    """Number of photos by outcome."""
    assert answer.code == 0, answer.err
    kinds = [kind.value for kind in OutcomeKind]
    return {kind: number for kind, number in answer.json_lines[-1].items() if kind in kinds and number}


def test_index_faces_is_called_once_for_each_distinct_new_photo(catalog, portraits, serving, bucket):
    """Counted at the endpoint over two scans, duplicates, a rename, an edit and a copy in S3."""
    with serving() as server:
        assert outcomes(catalog("scan", portraits, "--json")) == {"new": 5}
        assert indexed(server) == 5

        assert outcomes(catalog("scan", portraits, "--json")) == {"unchanged": 5}
        assert indexed(server) == 5

        shutil.copyfile(portraits / "biden.jpg", portraits / "a copy.jpg")
        shutil.copyfile(portraits / "biden.jpg", portraits / "z copy.jpg")
        assert outcomes(catalog("scan", portraits, "--json")) == {"unchanged": 5, "duplicate": 2}
        assert indexed(server) == 5

        (portraits / "obama_1.jpg").rename(portraits / "renamed.jpg")
        assert outcomes(catalog("scan", portraits, "--json")) == {"unchanged": 6, "moved": 1}
        assert indexed(server) == 5

        in_s3 = bucket(portraits, "summer")
        assert outcomes(catalog("scan", in_s3, "--json")) == {"duplicate": 7}
        assert outcomes(catalog("scan", in_s3, "--json")) == {"unchanged": 7}
        assert indexed(server) == 5

        edited = portraits / "obama_2.jpg"
        edited.write_bytes(edited.read_bytes() + b"\0")
        assert outcomes(catalog("scan", portraits, in_s3, "--json")) == {"unchanged": 13, "changed": 1}
        assert indexed(server) == 6

        assert charged_calls(catalog)["IndexFaces"] == 6
        paid = {operation for operation, _ in server.service.tally} & {operation.value for operation in Operation}
        assert paid == {"IndexFaces", "SearchFaces"}


def test_with_faults_no_photo_is_lost_and_none_enrolled_twice(catalog, portraits, serving, bucket):
    """A fifth of all calls fails, half of them after execution. The charge log holds every call that may be billed."""
    with serving(FaultPlan(fail_rate=0.2, seed=4)) as server:
        assert outcomes(catalog("scan", portraits, "--json")) == {"new": 5}
        assert outcomes(catalog("scan", portraits, bucket(portraits, "summer"), "--json")) == {
            "unchanged": 5,
            "duplicate": 5,
        }
        failures = [error for operation, error in server.service.tally if operation == "IndexFaces" and error]
        assert failures
        assert indexed(server) == 5
        for operation in ("IndexFaces", "SearchFaces"):
            assert charged_calls(catalog)[operation] == may_be_billed(server, operation)
        server.service.faults = Faults(FaultPlan())
        faces = client_of(server.url).list_faces(CollectionId="catalog")["Faces"]
    assert len(faces) == len({face["ExternalImageId"] for face in faces}) == 5


def test_the_gallery_holds_the_faces_of_the_catalogue(catalog, portraits, serving):
    """The collection holds every face of the catalogue and no other face."""
    with serving(FaultPlan(fail_rate=0.25, seed=2)) as server:
        assert catalog("scan", portraits).code == 0
        server.service.faults = Faults(FaultPlan())
        gallery_ids = {face["FaceId"] for face in client_of(server.url).list_faces(CollectionId="catalog")["Faces"]}
        rows = catalog("sql", "SELECT face_id FROM v1_faces", "--format", "json").json
    assert {row["face_id"] for row in rows} == gallery_ids
    assert len(gallery_ids) == 5


def test_a_refused_search_makes_no_paid_call(catalog, portraits, serving, tmp_path):
    """An unknown person, a wrong day and a missing catalogue are reported before the reference is sent."""
    wrong = [["--person", "Nobody"], ["--since", "last year"], ["--database", tmp_path / "mistyped.sqlite3"]]
    with serving() as server:
        catalog("scan", portraits)
        calls = server.service.tally.total()
        for options in wrong:
            assert catalog("find-person", portraits / "obama_1.jpg", *options).code in {2, 6}
        assert server.service.tally.total() == calls


def test_a_limit_of_calls_keeps_finished_photos(catalog, portraits, serving):
    """Two calls, two photos, exit code 7. The next scan continues."""
    with serving() as server:
        answer = catalog("scan", portraits, "--max-calls", "2", "--json")
        assert answer.code == 7
        assert indexed(server) == 2
        assert sum(n for (operation, _), n in server.service.tally.items() if operation.startswith("Search")) == 0
        assert catalog("scan", portraits).code == 0
        assert indexed(server) == 5


@pytest.mark.parametrize(("region", "guessed"), [("us-east-1", False), ("sa-east-1", True)])
def test_unknown_prices_are_marked(catalog, portraits, serving, region, guessed):
    """In the dry run, after the scan and in the costs. The settings can hold the factor of a region."""
    with serving(region=region):
        plan, scan = catalog("scan", portraits, "--dry-run"), catalog("scan", portraits)
    note = "The prices of sa-east-1 are not known"
    assert (plan.code, scan.code) == (0, 0)
    assert (note in plan.out, note in scan.err, note in catalog("costs").out) == (guessed, guessed, guessed)
    assert ("region_factors" in scan.err) is guessed


def test_each_permission_on_a_bucket_is_checked(catalog, portraits, serving, bucket):
    """In addition to the permissions on the collection."""
    with serving():
        answer = catalog("check", bucket(portraits, "summer"), "--json")
    assert answer.code == 0, answer.err
    ok_by_name = {finding["name"]: finding["ok"] for finding in answer.json}
    assert ok_by_name["s3:ListBucket"] is ok_by_name["s3:GetObject"] is True
    assert sum(name.startswith("source s3://") and ok for name, ok in ok_by_name.items()) == 1
