"""The picture of a request: Amazon's limits, and objects of a real S3 server."""

from __future__ import annotations

import struct
import zlib
from io import BytesIO

import boto3
import pytest
from moto.server import ThreadedMotoServer
from PIL import Image

from catalog.endpoint.factory import open_endpoint
from tests.endpoint.wire import client_of, encode, nobody, portrait, refused


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "TIFF", "BMP"])
def test_only_jpeg_and_png_are_accepted(rekognition, kind):
    """Other formats are refused, however good."""
    with refused("InvalidImageFormatException") as error:
        rekognition.detect_faces(Image={"Bytes": encode(Image.open(BytesIO(portrait("biden"))), kind)})
    assert error.value.response["Error"]["Message"] == "Request has invalid image format"


def test_a_png_with_alpha_is_accepted(rekognition):
    """Only its colors are used."""
    picture = Image.open(BytesIO(portrait("biden"))).convert("RGBA")
    assert len(rekognition.detect_faces(Image={"Bytes": encode(picture, "PNG")})["FaceDetails"]) == 1


@pytest.mark.parametrize("data", [b"hello", b"\xff\xd8\xff\xe0 and no more", b"\x89PNG\r\n\x1a\n" + bytes(100)])
def test_what_cannot_be_decoded_is_an_invalid_format(rekognition, data):
    """Junk, and what begins like a photo and goes on otherwise."""
    with refused("InvalidImageFormatException"):
        rekognition.detect_faces(Image={"Bytes": data})


def test_a_photo_that_is_cut_short_is_an_invalid_format(rekognition):
    """Half a JPEG."""
    with refused("InvalidImageFormatException"):
        rekognition.detect_faces(Image={"Bytes": portrait("biden")[:4000]})


@pytest.mark.parametrize("size", [(79, 200), (200, 79)])
def test_less_than_eighty_pixels_a_side_are_too_few(rekognition, size):
    """An invalid parameter, in the words that Amazon has for it."""
    with refused("InvalidParameterException"):
        rekognition.detect_faces(Image={"Bytes": nobody(*size)})
    assert rekognition.detect_faces(Image={"Bytes": nobody(80, 80)})["FaceDetails"] == []


def test_more_than_ten_thousand_pixels_a_side_are_too_many(rekognition):
    """A long strip of few bytes."""
    with refused("ImageTooLargeException"):
        rekognition.detect_faces(Image={"Bytes": encode(Image.new("L", (10_001, 100)))})


def test_a_bomb_is_refused_undecoded(rekognition):
    """A small PNG of 40,000 by 40,000 pixels is not unpacked."""
    good = bytearray(encode(Image.new("1", (400, 400)), "PNG"))
    good[16:24] = struct.pack(">II", 40_000, 40_000)
    good[29:33] = struct.pack(">I", zlib.crc32(good[12:29]))
    bomb = bytes(good)
    with refused("(ImageTooLargeException|InvalidImageFormatException)"):
        rekognition.detect_faces(Image={"Bytes": bomb})


@pytest.mark.parametrize("image", [{}, {"Bytes": b"x", "S3Object": {"Bucket": "bucket", "Name": "key"}}])
def test_exactly_one_source_of_the_picture_is_needed(rekognition, image):
    """Neither bytes nor object, and both."""
    with refused("InvalidParameterException"):
        rekognition.detect_faces(Image=image)


# ------------------------------------------------------------------------------------------------ S3


def test_without_an_s3_endpoint_objects_are_refused(rekognition):
    """There is nowhere to read them from."""
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
    """A versioned bucket; the endpoint reads it with the credentials of its environment."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "a")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "b")
    client = boto3.client("s3", endpoint_url=s3_url, region_name="us-east-1")
    client.create_bucket(Bucket="photos")
    client.put_bucket_versioning(Bucket="photos", VersioningConfiguration={"Status": "Enabled"})
    return client


def test_objects_are_read_from_s3_with_amazons_limits(bucket, s3_url):
    """By name and version; up to 15 MB; what is not there is told as such."""
    biden, wall = portrait("biden"), nobody()
    version = bucket.put_object(Bucket="photos", Key="a/ü 1.jpg", Body=biden)["VersionId"]
    bucket.put_object(Bucket="photos", Key="a/ü 1.jpg", Body=wall)
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
