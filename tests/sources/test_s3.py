"""A prefix of a bucket is a source like a folder, over HTTP."""

from __future__ import annotations

import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

import pytest
from moto.s3.models import s3_backends

from catalog.domain.errors import PhotoError, SourceError
from catalog.domain.photos import PhotoRef, S3Address
from catalog.domain.source import LeftOut, Skipped
from catalog.sources.s3 import S3Source
from tests.sources.buckets import Bucket, Faulty, names, photos

SIDECAR = (
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    b'<rdf:Description rdf:about="" xmlns:photoshop="http://ns.adobe.com/photoshop/1.0/"'
    b' xmlns:tiff="http://ns.adobe.com/tiff/1.0/" photoshop:DateCreated="1987-06" tiff:Orientation="6"/>'
    b"</rdf:RDF></x:xmpmeta>"
)


# ------------------------------------------------------------------------------------------------------ listing


def test_objects_that_may_be_photos_are_listed_at_any_depth(bucket: Bucket) -> None:
    """As in a folder. The empty object of a folder is not listed, known other endings are counted only."""
    for key in ("a.jpg", "2019/", "2019/b.HEIC", "2019/06/c.cr2", "notes.txt", "2019/noending"):
        bucket.put(key, b"" if key.endswith("/") else b"photo")
    source = bucket.source("s3://family")
    assert source.uri == "s3://family/"
    assert names(source) == ["2019/06/c.cr2", "2019/b.HEIC", "2019/noending", "a.jpg"]
    assert [entry.uri for entry in source.list() if not isinstance(entry, PhotoRef)] == ["s3://family/notes.txt"]


def test_exclusion_rules_hold_for_keys(bucket: Bucket) -> None:
    """The marker of a folder may come after keys of the folder, and an ignore file is read."""
    bucket.put(".catalogignore", b"private/\n")
    for key in ("a.jpg", "private/b.jpg", "x/#1.jpg", "x/.nomedia", "x/c.jpg", "y/@eaDir/d.jpg", "y/e.jpg"):
        bucket.put(key)
    source = bucket.source()
    assert names(source) == ["a.jpg", "y/e.jpg"]
    assert [
        (entry.uri.removeprefix(source.uri), entry.rule) for entry in source.list() if isinstance(entry, LeftOut)
    ] == [
        ("private/", ".catalogignore: private/"),
        ("x/", "folder with .nomedia"),
        ("y/%40eaDir/", "@eaDir (Synology)"),
    ]


def test_the_first_bytes_of_an_object_are_read_alone(bucket: Bucket) -> None:
    """They decide whether an object of unknown ending is a photo; an empty object has none."""
    bucket.put("a", b"0123456789")
    bucket.put("b", b"")
    source = bucket.source()
    assert [source.head(ref, 4) for ref in photos(source)] == [b"0123", b""]


def test_an_object_is_listed_with_its_size_time_and_etag(bucket: Bucket) -> None:
    """They show that a photo is unchanged, without reading it."""
    etag = bucket.put("a.jpg", b"12345")["ETag"]
    modified: datetime = bucket.client.head_object(Bucket="family", Key="a.jpg")["LastModified"]
    (ref,) = photos(bucket.source())
    assert ref == PhotoRef("s3://family/a.jpg", 5, int(modified.timestamp()) * 10**9, etag.strip('"'))


@pytest.mark.parametrize("address", ["s3://family/photos", "s3://family/photos/"])
def test_a_prefix_is_a_folder_with_or_without_its_last_slash(bucket: Bucket, address: str) -> None:
    """Its neighbors of similar names are not part of it."""
    for key in ("photos/a.jpg", "photos/deep/b.jpg", "photos-old/c.jpg", "photos.jpg", "photos2.jpg"):
        bucket.put(key)
    source = bucket.source(address)
    assert source.uri == "s3://family/photos/"
    assert names(source) == ["a.jpg", "deep/b.jpg"]


def test_a_single_object_is_a_source(bucket: Bucket) -> None:
    """And only that one, though others begin with its name."""
    bucket.put("a.jpg")
    bucket.put("a.jpg.jpg")
    source = bucket.source("s3://family/a.jpg")
    assert [ref.uri for ref in photos(source)] == [source.uri] == ["s3://family/a.jpg"]


def test_a_missing_object_is_an_error_of_the_source(bucket: Bucket) -> None:
    """It was asked for by name."""
    with pytest.raises(SourceError, match=r'There is no object "s3://family/a.jpg"'):
        list(bucket.source("s3://family/a.jpg").list())


@pytest.mark.parametrize(
    "key",
    ["a b+c.jpg", "100%.jpg", "名前/写真.jpg", "q?x=1&y#z.jpg", "/leading//double.jpg", "..dots/../x.jpg",
     "\x01.jpg"],
)  # fmt: skip
def test_keys_of_any_characters_are_listed_and_opened(bucket: Bucket, key: str) -> None:
    """The uri is printable and leads back to the very key."""
    bucket.put(key, key.encode())
    source = bucket.source()
    (ref,) = photos(source)
    assert ref.uri.isascii()
    assert ref.uri.isprintable()
    content = source.open(ref)
    assert content.data == key.encode()
    assert content.address is not None
    assert content.address.key == key


def test_a_prefix_is_written_as_it_is(bucket: Bucket) -> None:
    """Percent signs and spaces in an address mean themselves, as for the AWS CLI."""
    bucket.put("a b/100%25/c.jpg")
    bucket.put("a b/100%/d.jpg")
    source = bucket.source("s3://family/a b/100%25")
    assert source.uri == "s3://family/a%20b/100%2525/"
    assert names(source) == ["c.jpg"]


def test_more_than_a_thousand_objects_take_several_pages(bucket: Bucket) -> None:
    """Each object is listed once."""
    backend = s3_backend()
    for number in range(2500):
        backend.put_object("family", f"{number:05}.jpg", b"x")
    assert names(bucket.source()) == [f"{number:05}.jpg" for number in range(2500)]


def s3_backend() -> Any:
    """The server's own store, in this process, to fill it quickly."""
    return s3_backends["123456789012"]["aws"]


@pytest.mark.parametrize("storage", ["GLACIER", "DEEP_ARCHIVE"])
def test_archived_objects_are_skipped_with_the_reason(bucket: Bucket, storage: str) -> None:
    """Reading them would fail, and restoring them costs money."""
    bucket.put("cold.jpg", StorageClass=storage)
    bucket.put("warm.jpg", StorageClass="GLACIER_IR")
    source = bucket.source()
    skipped, ref = source.list()
    assert isinstance(skipped, Skipped)
    assert skipped.reason == f'"s3://family/cold.jpg" is archived ({storage}) and must be restored first.'
    assert isinstance(ref, PhotoRef)
    assert ref.uri == "s3://family/warm.jpg"


def test_side_files_of_macos_are_left_out_with_a_rule(bucket: Bucket) -> None:
    """Uploads from a Mac contain them."""
    bucket.put("a/._b.jpg")
    (entry,) = bucket.source().list()
    assert isinstance(entry, LeftOut)
    assert entry.rule == "system file (macOS)"


def test_an_empty_prefix_lists_nothing(bucket: Bucket) -> None:
    """The scan knows the earlier photos and decides whether that is suspect."""
    assert list(bucket.source("s3://family/nothing").list()) == []


# ------------------------------------------------------------------------------------------------------ reading


def test_a_photo_comes_with_the_address_for_an_engine(bucket: Bucket) -> None:
    """Bucket, key, etag and region are those of the bytes that were read; without versioning there is no version."""
    etag = bucket.put("a.jpg", b"bytes")["ETag"].strip('"')
    source = bucket.source()
    (ref,) = photos(source)
    content = source.open(ref)
    assert content.data == b"bytes"
    assert content.address == S3Address("family", "a.jpg", None, etag, "eu-central-1")


@pytest.mark.parametrize(("amazon_reads", "addressed"), [(True, False), (False, True)])
def test_a_photo_in_other_storage_has_no_address_for_amazon(
    bucket: Bucket, amazon_reads: bool, addressed: bool
) -> None:
    """A bucket of the same name at Amazon would be a stranger's."""
    bucket.put("a.jpg")
    source = bucket.source(amazon_reads=amazon_reads)
    (ref,) = photos(source)
    assert (source.open(ref).address is not None) is addressed


@pytest.mark.parametrize(
    ("url", "amazons"),
    [
        ("https://s3.eu-central-1.amazonaws.com", True),
        ("https://s3.dualstack.eu-central-1.amazonaws.com", True),
        ("https://s3.cn-north-1.amazonaws.com.cn", True),
        ("https://bucket.vpce-1a2b.s3.us-east-1.vpce.amazonaws.com", True),
        ("http://127.0.0.1:9000", False),
        ("https://s3.example.org", False),
    ],
)
def test_amazons_own_addresses_are_known(bucket: Bucket, url: str, amazons: bool) -> None:
    """Without a call."""
    assert S3Source("s3://family", endpoint_url=url, amazon_reads=True)._addressed is amazons


def test_of_a_versioned_key_the_newest_is_listed_and_named(bucket: Bucket) -> None:
    """Older versions are no photos of their own, and neither is a deleted one."""
    bucket.client.put_bucket_versioning(Bucket="family", VersioningConfiguration={"Status": "Enabled"})
    bucket.put("a.jpg", b"old")
    version = bucket.put("a.jpg", b"newer")["VersionId"]
    bucket.put("gone.jpg")
    bucket.client.delete_object(Bucket="family", Key="gone.jpg")
    source = bucket.source()
    (ref,) = photos(source)
    content = source.open(ref)
    assert content.data == b"newer"
    assert content.address is not None
    assert content.address.version == version


def test_an_object_changed_after_listing_is_read_as_it_is_now(bucket: Bucket) -> None:
    """The address tells the etag of what was read, not of what was listed."""
    bucket.put("a.jpg", b"old")
    source = bucket.source()
    (ref,) = photos(source)
    etag = bucket.put("a.jpg", b"changed")["ETag"].strip('"')
    content = source.open(ref)
    assert content.data == b"changed"
    assert content.address is not None
    assert content.address.etag == etag != ref.etag


def test_an_object_that_vanished_after_listing_fails_alone(bucket: Bucket) -> None:
    """Also when only a delete marker is left of it."""
    bucket.put("a.jpg")
    source = bucket.source()
    (ref,) = photos(source)
    bucket.client.delete_object(Bucket="family", Key="a.jpg")
    with pytest.raises(PhotoError, match=r'^"s3://family/a.jpg" disappeared after it was listed.$'):
        source.open(ref)


def test_a_bucket_that_vanished_after_listing_fails_the_source(bucket: Bucket) -> None:
    """No other photo of it can be read either."""
    bucket.put("a.jpg")
    source = bucket.source()
    (ref,) = photos(source)
    bucket.client.delete_object(Bucket="family", Key="a.jpg")
    bucket.client.delete_bucket(Bucket="family")
    with pytest.raises(SourceError, match="bucket does not exist"):
        source.open(ref)


def test_an_object_archived_after_listing_fails_alone(bucket: Bucket) -> None:
    """So does one in an archive tier that a listing does not show."""
    bucket.put("a.jpg")
    source = bucket.source()
    (ref,) = photos(source)
    bucket.put("a.jpg", StorageClass="DEEP_ARCHIVE")
    with pytest.raises(PhotoError, match=r"is archived and must be restored first\.$"):
        source.open(ref)


def test_an_object_above_the_limit_is_refused_unread(bucket: Bucket) -> None:
    """A disk image named .jpg is not downloaded."""
    bucket.put("a.jpg", b"x" * 1001)
    source = bucket.source(max_bytes=1000)
    (ref,) = photos(source)
    with pytest.raises(PhotoError, match="larger than the limit: 1,001 bytes of 1,000"):
        source.open(ref)


def test_one_denied_object_fails_alone(bucket: Bucket) -> None:
    """Its neighbors are read, and the remedy names the right that is missing."""
    bucket.put("a.jpg")
    bucket.put("secret.jpg")
    bucket.deny("s3:GetObject", "family/secret.jpg")
    source = bucket.source()
    allowed, denied = photos(source)
    assert source.open(allowed).data == b"photo"
    with pytest.raises(PhotoError, match=r'^Access to "s3://family/secret.jpg" is denied') as caught:
        source.open(denied)
    assert "s3:GetObject" in caught.value.remedy


def test_a_missing_bucket_is_an_error_of_the_source(bucket: Bucket) -> None:
    """Not an empty listing."""
    with pytest.raises(SourceError, match=r'^The bucket does not exist: "s3://nobodys/" cannot be read.$') as caught:
        list(bucket.source("s3://nobodys").list())
    assert caught.value.exit_code == 4


# ------------------------------------------------------------------------------------------------------ set-up


@pytest.mark.parametrize(
    "address", ["s3://", "s3:///a", "s3://b", "s3://two words/a", "http://family/a", "s3://a\x1b[2J/b"]
)
def test_what_is_no_address_is_refused(address: str) -> None:
    """Before anything is sent."""
    with pytest.raises(SourceError, match="is not the address of a bucket") as caught:
        S3Source(address)
    assert str(caught.value).isprintable()


def test_missing_credentials_are_an_error_with_a_remedy(bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
    """The commonest first experience."""
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    with pytest.raises(SourceError, match=r"^No AWS credentials were found") as caught:
        list(bucket.source().list())
    assert "aws configure" in caught.value.remedy


def test_an_unknown_profile_is_an_error_with_a_remedy(bucket: Bucket) -> None:
    """A typo in the settings."""
    with pytest.raises(SourceError, match=r"^There is no such AWS profile") as caught:
        bucket.source(profile="nobody")
    assert "AWS_PROFILE" in caught.value.remedy


def test_an_unreachable_endpoint_is_an_error_with_a_remedy(bucket: Bucket) -> None:
    """While listing and while reading."""
    bucket.put("a.jpg")
    (ref,) = photos(bucket.source())
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        source = S3Source("s3://family", endpoint_url=f"http://127.0.0.1:{unused.getsockname()[1]}", attempts=1)
        for attempt in (lambda: list(source.list()), lambda: source.open(ref)):
            with pytest.raises(SourceError, match=r"^S3 cannot be reached") as caught:
                attempt()
            assert "endpoint URL" in caught.value.remedy


@pytest.mark.parametrize("url", ["not a url", "ftp//x"])
def test_an_endpoint_that_is_no_url_is_refused(bucket: Bucket, url: str) -> None:
    """With a sentence instead of a traceback."""
    with pytest.raises(SourceError, match="cannot be set up"):
        S3Source("s3://family", endpoint_url=url)


# ------------------------------------------------------------------------------------------------------ calls


def test_a_key_with_a_newline_is_listed_and_opened(faulty: Faulty) -> None:
    """XML cannot hold every character, so listings are asked for in percent-encoding."""
    faulty.key = "two%0Alines%25.jpg"
    source = S3Source("s3://family", endpoint_url=faulty.url)
    (ref,) = photos(source)
    assert ref.uri == "s3://family/two%0Alines%25.jpg"
    assert source.open(ref).data == b"photo"
    listing, reading = (path for path, _ in faulty.asked)
    assert "encoding-type=url" in listing
    assert urlsplit(reading).path == "/family/two%0Alines%25.jpg"


def test_a_restored_object_is_a_photo_again(faulty: Faulty) -> None:
    """The listing says so, when asked to."""
    source = S3Source("s3://family", endpoint_url=faulty.url)
    assert [ref.uri for ref in photos(source)] == ["s3://family/a.jpg"]
    assert faulty.asked[0][1]["x-amz-optional-object-attributes"] == "RestoreStatus"


def test_an_object_that_became_empty_has_no_first_bytes(faulty: Faulty) -> None:
    """S3 answers 416 to a range of an empty object. Its size is known from an earlier listing only."""
    source = S3Source("s3://family", endpoint_url=faulty.url, attempts=1)
    (ref,) = photos(source)
    faulty.reading = (416, "InvalidRange")
    assert source.head(ref, 32) == b""


def test_a_body_that_breaks_off_is_read_again(faulty: Faulty) -> None:
    """Networks break in the middle of a photo, and a photo in the middle is not one."""
    source = S3Source("s3://family", endpoint_url=faulty.url)
    (ref,) = photos(source)
    faulty.breaks = 2
    assert source.open(ref).data == b"photo"
    faulty.breaks = 3
    with pytest.raises(PhotoError, match="broke off 3 times"):
        source.open(ref)


def test_a_hiccup_of_the_service_is_waited_out(faulty: Faulty) -> None:
    """Throttling is answered by trying again, with a pause."""
    source = S3Source("s3://family", endpoint_url=faulty.url, attempts=3)
    faulty.listing = (503, "SlowDown")

    def heal() -> None:
        while not faulty.asked:
            time.sleep(0.01)
        faulty.listing = None

    healer = threading.Thread(target=heal)
    healer.start()
    assert len(photos(source)) == 1
    healer.join()
    assert len(faulty.asked) >= 2


@pytest.mark.parametrize("pays", [True, False])
def test_the_requester_pays_only_when_told_to(faulty: Faulty, pays: bool) -> None:
    """On every call, because each costs."""
    source = S3Source("s3://family", endpoint_url=faulty.url, requester_pays=pays)
    (ref,) = photos(source)
    source.open(ref)
    assert [headers.get("x-amz-request-payer") for _, headers in faulty.asked] == ["requester" if pays else None] * 2


def test_listing_and_reading_make_one_call_each(faulty: Faulty) -> None:
    """No HEAD, no GetBucketLocation: each call costs money and needs a right."""
    source = S3Source("s3://family/", endpoint_url=faulty.url)
    (ref,) = photos(source)
    source.open(ref)
    assert [urlsplit(path).path for path, _ in faulty.asked] == ["/family", "/family/a.jpg"]


def test_files_beside_an_object_date_and_turn_it(bucket: Bucket) -> None:
    """A sidecar, and Takeout's JSON. A photo that a sidecar turns has no address for the engine."""
    bucket.put("a/IMG_1.jpg")
    bucket.put("a/IMG_1.XMP", SIDECAR)
    bucket.put("a/IMG_2.jpg")
    bucket.put("a/IMG_2.jpg.supplemental-metadata.json", b'{"photoTakenTime": {"timestamp": "562000000"}}')
    bucket.put("a/IMG_3.jpg")
    bucket.put("a/IMG_3.jpg.xmp", SIDECAR)
    bucket.put("a/IMG_30.jpg")
    for address in ("s3://family/a/", "s3://family/a/IMG_1.jpg"):
        source = bucket.source(address)
        contents = {ref.uri.rpartition("/")[2]: source.open(ref) for ref in photos(source)}
        assert [date.source for date in contents["IMG_1.jpg"].dates] == ["sidecar"]
    contents = {ref.uri.rpartition("/")[2]: source.open(ref) for source in [bucket.source()] for ref in photos(source)}
    assert {name: [date.source.value for date in content.dates] for name, content in contents.items()} == {
        "IMG_1.jpg": ["sidecar"],
        "IMG_2.jpg": ["takeout"],
        "IMG_3.jpg": ["sidecar"],
        "IMG_30.jpg": [],
    }
    assert contents["IMG_3.jpg"].orientation == 6
    assert contents["IMG_3.jpg"].address is None
    assert contents["IMG_1.jpg"].address is not None
    unlisted = bucket.source()
    assert unlisted.open(PhotoRef("s3://family/a/IMG_3.jpg", 5, 0)).orientation == 6


@pytest.mark.parametrize(("connections", "opened_anew"), [(2, True), (24, False)])
def test_as_many_connections_are_kept_as_threads_read(
    bucket: Bucket, caplog: pytest.LogCaptureFixture, connections: int, opened_anew: bool
) -> None:
    """With fewer, urllib3 drops connections after each photo and logs it."""
    bucket.put("a.jpg", bytes(1_000_000))
    source = bucket.source(connections=connections)
    (ref,) = photos(source)
    gate = threading.Barrier(24)

    def read(_: int) -> int:
        gate.wait(30)
        return len(source.open(ref).data)

    with ThreadPoolExecutor(24) as pool:
        assert set(pool.map(read, range(24))) == {1_000_000}
    assert ("pool is full" in caplog.text) is opened_anew
