"""All 21 operations, called with boto3 and with the AWS CLI."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from catalog.endpoint.service_model import OPERATIONS
from catalog.web.endpoint_server import open_endpoint
from tests.endpoint.wire import FIXTURES, UNKNOWN_FACE, client_of, group

Caller = Callable[..., Any]
"""Operation in snake_case, members as keywords, images as paths."""


def call_every_operation(call: Caller, group_photo: Path) -> None:
    """Call each operation at least once and check its response."""
    obama_1, obama_2, biden = (FIXTURES / f"{name}.jpg" for name in ("obama_1", "obama_2", "biden"))
    arn = "arn:" + call("create_collection", CollectionId="story", Tags={"made": "by test"})["CollectionArn"]
    assert "story" in call("list_collections")["CollectionIds"]
    call("tag_resource", ResourceArn=arn, Tags={"a": "b"})
    call("untag_resource", ResourceArn=arn, TagKeys=["made"])
    assert call("list_tags_for_resource", ResourceArn=arn)["Tags"] == {"a": "b"}

    def index(photo: Path) -> str:
        answer = call("index_faces", CollectionId="story", Image=photo, ExternalImageId=photo.name)
        face_id: str = answer["FaceRecords"][0]["Face"]["FaceId"]
        return face_id

    first_face, second_face, biden_face = index(obama_1), index(obama_2), index(biden)
    assert call("describe_collection", CollectionId="story")["FaceCount"] == 3
    assert {face["FaceId"] for face in call("list_faces", CollectionId="story")["Faces"]} == {
        first_face,
        second_face,
        biden_face,
    }
    assert len(call("detect_faces", Image=group_photo, Attributes=["ALL"])["FaceDetails"]) == 2
    compared = call("compare_faces", SourceImage=biden, TargetImage=group_photo, SimilarityThreshold=90)
    assert len(compared["FaceMatches"]) == len(compared["UnmatchedFaces"]) == 1
    matches = call("search_faces", CollectionId="story", FaceId=first_face, FaceMatchThreshold=90)["FaceMatches"]
    assert [match["Face"]["FaceId"] for match in matches] == [second_face]
    response = call("search_faces_by_image", CollectionId="story", Image=group_photo, MaxFaces=5)
    assert {match["Face"]["FaceId"] for match in response["FaceMatches"]} == {first_face, second_face}

    call("create_user", CollectionId="story", UserId="barack")
    call("create_user", CollectionId="story", UserId="empty")
    associated = call(
        "associate_faces", CollectionId="story", UserId="barack", FaceIds=[first_face, second_face, UNKNOWN_FACE]
    )
    assert associated["UnsuccessfulFaceAssociations"][0]["Reasons"] == ["FACE_NOT_FOUND"]
    assert len(call("list_users", CollectionId="story")["Users"]) == 2
    users = call("search_users", CollectionId="story", FaceId=first_face)["UserMatches"]
    assert [match["User"]["UserId"] for match in users] == ["barack"]
    users = call("search_users_by_image", CollectionId="story", Image=group_photo)["UserMatches"]
    assert [match["User"]["UserId"] for match in users] == ["barack"]
    deleted = call("delete_faces", CollectionId="story", FaceIds=[first_face, biden_face])
    assert deleted["DeletedFaces"] == [biden_face]
    assert deleted["UnsuccessfulFaceDeletions"][0]["Reasons"] == ["ASSOCIATED_TO_AN_EXISTING_USER"]
    response = call("disassociate_faces", CollectionId="story", UserId="barack", FaceIds=[first_face])
    assert response["DisassociatedFaces"] == [{"FaceId": first_face}]
    call("delete_user", CollectionId="story", UserId="empty")
    assert call("delete_collection", CollectionId="story")["StatusCode"] == 200


@pytest.fixture
def group_photo(tmp_path):
    path = tmp_path / "group.jpg"
    path.write_bytes(group())
    return path


@pytest.fixture
def server():
    """A new endpoint."""
    with open_endpoint() as server, server.in_background():
        yield server


def operations_answered(server):
    """The operations that were called; every call must have succeeded."""
    assert {error for _, error in server.service.tally} == {""}
    return {operation for operation, _ in server.service.tally}


def test_boto3_calls_every_operation(server, group_photo):
    """Images are sent as bytes."""
    client = client_of(server.url)

    def call(operation: str, **members: Any) -> Any:
        request = {
            name: {"Bytes": value.read_bytes()} if isinstance(value, Path) else value for name, value in members.items()
        }
        return getattr(client, operation)(**request)

    call_every_operation(call, group_photo)
    assert operations_answered(server) == set(OPERATIONS)


AWS = shutil.which("aws")
SERVE_LINES = """
import contextlib, io, json, os, sys
from awscli.clidriver import create_clidriver
for line in sys.stdin:
    out, errors = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(errors):
        code = create_clidriver().main(json.loads(line))
    print(json.dumps([code, out.getvalue(), errors.getvalue()]), flush=True)
os._exit(0)
"""
"""A ``sitecustomize`` of the CLI's own interpreter, so that one start serves all commands; a start takes a second."""


@contextmanager
def aws_cli(environment: dict[str, str], folder: Path) -> Iterator[Callable[..., tuple[int, str, str]]]:
    """Runs commands of the AWS CLI: exit code, output and messages. The first one is a process of its own."""
    (folder / "sitecustomize.py").write_text(SERVE_LINES)
    started = 0

    def alone(*words: str) -> tuple[int, str, str]:
        done = subprocess.run([AWS, *words], env=environment, capture_output=True, text=True, check=False, timeout=60)
        return done.returncode, done.stdout, done.stderr

    with subprocess.Popen(
        [AWS],
        env=environment | {"PYTHONPATH": str(folder)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None

        def run(*words: str) -> tuple[int, str, str]:
            nonlocal started
            started += 1
            if started > 1:
                with suppress(BrokenPipeError):  # version 2 brings its interpreter, which reads no sitecustomize
                    print(json.dumps(words), file=process.stdin, flush=True)
                if answer := process.stdout.readline():
                    return tuple(json.loads(answer))
            return alone(*words)

        try:
            yield run
        finally:
            with suppress(BrokenPipeError):
                process.stdin.close()


@pytest.mark.skipif(AWS is None, reason="the AWS CLI is not on PATH (it pins its own botocore, so it is no dependency)")
def test_the_aws_cli_calls_every_operation(server, group_photo, guarded_home, tmp_path):
    """Images are sent from files, with the CLI's own options."""
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(guarded_home),
        "AWS_ACCESS_KEY_ID": "a",
        "AWS_SECRET_ACCESS_KEY": "b",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_PAGER": "",
    }
    with aws_cli(environment, tmp_path) as run:

        def call(operation: str, **members: Any) -> Any:
            words = ["rekognition", operation.replace("_", "-"), "--endpoint-url", server.url, "--output", "json"]
            for name, value in members.items():
                words += _option(name, value)
            code, out, errors = run(*words)
            assert code == 0, errors
            return json.loads(out or "{}")

        call_every_operation(call, group_photo)
    assert operations_answered(server) == set(OPERATIONS)


def _option(name: str, value: Any) -> list[str]:
    dashed = "".join(f"-{letter.lower()}" if letter.isupper() else letter for letter in name).strip("-")
    if isinstance(value, Path):
        return [f"--{dashed}-bytes", f"fileb://{value}"]
    if isinstance(value, list):
        return [f"--{dashed}", *value]
    return [f"--{dashed}", json.dumps(value) if isinstance(value, dict) else str(value)]
