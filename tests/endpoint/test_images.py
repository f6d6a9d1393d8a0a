"""Images of requests: Amazon's limits, and objects on a real S3 server."""

from __future__ import annotations

import contextlib
import os
import struct
import zlib
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from pathlib import Path

import boto3
import numpy as np
import pytest
from moto.server import ThreadedMotoServer
from PIL import Image

from catalog.endpoint.errors import WireError
from catalog.endpoint.image_opener import ImageOpener
from catalog.web.endpoint_server import open_endpoint
from tests.endpoint.wire import client_of, encode, no_face, portrait, refused


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "TIFF", "BMP"])
def test_only_jpeg_and_png_are_accepted(rekognition, kind):
    """Other formats are refused, even if the image is valid."""
    with refused("InvalidImageFormatException") as error:
        rekognition.detect_faces(Image={"Bytes": encode(Image.open(BytesIO(portrait("biden"))), kind)})
    assert error.value.response["Error"]["Message"] == "Request has invalid image format"


def test_a_png_with_alpha_is_accepted(rekognition):
    """The alpha channel is ignored."""
    image = Image.open(BytesIO(portrait("biden"))).convert("RGBA")
    assert len(rekognition.detect_faces(Image={"Bytes": encode(image, "PNG")})["FaceDetails"]) == 1


@pytest.mark.parametrize("data", [b"hello", b"\xff\xd8\xff\xe0 and no more", b"\x89PNG\r\n\x1a\n" + bytes(100)])
def test_undecodable_data_is_an_invalid_format(rekognition, data):
    """Also data that begins like a JPEG or PNG."""
    with refused("InvalidImageFormatException"):
        rekognition.detect_faces(Image={"Bytes": data})


def test_a_truncated_photo_is_an_invalid_format(rekognition):
    """The first 4,000 bytes of a JPEG."""
    with refused("InvalidImageFormatException"):
        rekognition.detect_faces(Image={"Bytes": portrait("biden")[:4000]})


@pytest.mark.parametrize("size", [(79, 200), (200, 79)])
def test_a_side_below_80_pixels_is_refused(rekognition, size):
    """InvalidParameterException. 80 pixels are accepted."""
    with refused("InvalidParameterException"):
        rekognition.detect_faces(Image={"Bytes": no_face(*size)})
    assert rekognition.detect_faces(Image={"Bytes": no_face(80, 80)})["FaceDetails"] == []


def test_a_side_above_10_000_pixels_is_refused(rekognition):
    """ImageTooLargeException, even for a small file."""
    with refused("ImageTooLargeException"):
        rekognition.detect_faces(Image={"Bytes": encode(Image.new("L", (10_001, 100)))})


def test_a_decompression_bomb_is_refused(rekognition):
    """A small PNG file that declares 40,000 by 40,000 pixels is not decoded."""
    data = bytearray(encode(Image.new("1", (400, 400)), "PNG"))
    data[16:24] = struct.pack(">II", 40_000, 40_000)
    data[29:33] = struct.pack(">I", zlib.crc32(data[12:29]))
    with refused("ImageTooLargeException"):
        rekognition.detect_faces(Image={"Bytes": bytes(data)})


def test_a_png_of_too_many_pixels_is_refused(rekognition):
    """A PNG cannot be reduced while it is decoded. A JPEG of the same size is accepted."""
    image = Image.new("L", (6000, 5000))
    with refused("ImageTooLargeException"):
        rekognition.detect_faces(Image={"Bytes": encode(image, "PNG")})
    assert rekognition.detect_faces(Image={"Bytes": encode(image)})["FaceDetails"] == []


@pytest.mark.parametrize("mode", ["P", "I;16", "LA", "1"])
def test_all_kinds_of_png_are_decoded(rekognition, mode):
    """Palette, 16-bit, gray with alpha, and black and white."""
    image = Image.open(BytesIO(portrait("biden"))).convert("L")
    if mode == "I;16":
        image = Image.fromarray(np.asarray(image).astype(np.uint16) * 257)
    data = encode(image.convert(mode) if mode != "I;16" else image, "PNG")
    faces = rekognition.detect_faces(Image={"Bytes": data})["FaceDetails"]
    assert len(faces) == 1 or mode == "1"


def test_images_are_decoded_in_processes_of_their_own(rekognition):
    """The process of the server has decoder processes as children."""
    rekognition.detect_faces(Image={"Bytes": portrait("biden")})
    tasks = Path(f"/proc/{os.getpid()}/task").iterdir()
    children = [child for task in tasks for child in (task / "children").read_text().split()]
    commands = [Path(f"/proc/{child}/cmdline").read_text() for child in children]
    assert any("catalog.images.decoder_process" in command for command in commands)


@pytest.mark.parametrize("image", [{}, {"Bytes": b"x", "S3Object": {"Bucket": "bucket", "Name": "key"}}])
def test_an_image_needs_either_bytes_or_an_s3_object(rekognition, image):
    """An image with none or with both is refused."""
    with refused("InvalidParameterException"):
        rekognition.detect_faces(Image=image)


# ------------------------------------------------------------------------------------------------ S3


def test_without_an_s3_endpoint_objects_are_refused(rekognition):
    """InvalidS3ObjectException with Amazon's message."""
    with refused("InvalidS3ObjectException") as error:
        rekognition.detect_faces(Image={"S3Object": {"Bucket": "photos", "Name": "biden.jpg"}})
    assert error.value.response["Error"]["Message"].startswith("Unable to get object metadata from S3.")


@pytest.fixture(scope="module")
def s3_url():
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    yield f"http://127.0.0.1:{server.get_host_and_port()[1]}"
    server.stop()


@pytest.fixture
def bucket(s3_url, monkeypatch):
    """A versioned bucket. The endpoint reads it with the credentials of the environment."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "a")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "b")
    client = boto3.client("s3", endpoint_url=s3_url, region_name="us-east-1")
    client.create_bucket(Bucket="photos")
    client.put_bucket_versioning(Bucket="photos", VersioningConfiguration={"Status": "Enabled"})
    return client


def test_objects_are_read_from_s3_with_amazons_limits(bucket, s3_url):
    """By name and version, up to 15 MB. A missing object or bucket is refused."""
    biden, empty = portrait("biden"), no_face()
    version = bucket.put_object(Bucket="photos", Key="a/ü 1.jpg", Body=biden)["VersionId"]
    bucket.put_object(Bucket="photos", Key="a/ü 1.jpg", Body=empty)
    bucket.put_object(Bucket="photos", Key="large.jpg", Body=biden + bytes(15 * 1024 * 1024 - len(biden)))
    bucket.put_object(Bucket="photos", Key="too-large.jpg", Body=biden + bytes(15 * 1024 * 1024))
    with open_endpoint(s3_url=s3_url) as server, server.in_background() as url:
        client = client_of(url)

        def faces(**address):
            return len(client.detect_faces(Image={"S3Object": {"Bucket": "photos", **address}})["FaceDetails"])

        assert faces(Name="a/ü 1.jpg") == 0
        assert faces(Name="a/ü 1.jpg", Version=version) == 1
        assert faces(Name="large.jpg") == 1
        with refused("ImageTooLargeException"):
            faces(Name="too-large.jpg")
        with refused("InvalidS3ObjectException"):
            faces(Name="nowhere.jpg")
        with refused("InvalidS3ObjectException"):
            faces(Name="a/ü 1.jpg", Bucket="no-such-bucket")
        with refused("InvalidS3ObjectException"):
            client.detect_faces(Image={"S3Object": {"Name": "a"}})


def test_too_many_large_images_at_the_same_time_are_throttled():
    """Twelve requests with an image of 25 megapixels: at least eight are answered, the others can be sent again."""
    image = encode(Image.new("L", (5000, 5000)))
    with contextlib.closing(ImageOpener(2048)) as opener, ThreadPoolExecutor(12) as pool:
        results = list(pool.map(lambda _: attempt(opener, image), range(12)))
        assert results.count("opened") >= 8
        assert set(results) <= {"opened", "ThrottlingException"}
        assert attempt(opener, image) == "opened"


def attempt(opener, image):
    try:
        opener.open(image)
    except WireError as error:
        return error.code
    return "opened"
