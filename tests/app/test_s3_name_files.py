"""Names in the files beside photos in S3, downloaded for one import."""

from __future__ import annotations

import tempfile
import uuid
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import boto3
import pytest
from moto.server import ThreadedMotoServer
from PIL import Image

import catalog
from catalog import UsageError

XMP = (
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    b'<rdf:Description rdf:about="" xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/"'
    b' xmlns:photoshop="http://ns.adobe.com/photoshop/1.0/" photoshop:DateCreated="1987-06">'
    b"<Iptc4xmpExt:PersonInImage><rdf:Bag><rdf:li>Ann</rdf:li></rdf:Bag></Iptc4xmpExt:PersonInImage>"
    b"</rdf:Description></rdf:RDF></x:xmpmeta>"
)
PICASA = b"[3.png]\nfaces=rect64(3f845bcb59418507),8e62398ebda8c1a5\n[Contacts2]\n8e62398ebda8c1a5=Cid;;\n"


@pytest.fixture
def address(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Three photos without a face, with a sidecar, a file of Takeout and a file of Picasa."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    url = f"http://127.0.0.1:{server.get_host_and_port()[1]}"
    monkeypatch.setenv("CATALOG_S3_ENDPOINT_URL", url)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "a")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "b")
    client = boto3.client("s3", endpoint_url=url, region_name="us-east-1")
    bucket = f"photos-{uuid.uuid4()}"
    client.create_bucket(Bucket=bucket)
    for number in (1, 2, 3):
        written = BytesIO()
        Image.new("RGB", (200, 100), "gray").save(written, "PNG", dpi=(number, number))
        client.put_object(Bucket=bucket, Key=f"album/{number}.png", Body=written.getvalue())
    client.put_object(Bucket=bucket, Key="album/1.png.xmp", Body=XMP)
    client.put_object(Bucket=bucket, Key="album/2.png.json", Body=b'{"people": [{"name": "Ben"}]}')
    client.put_object(Bucket=bucket, Key="album/.picasa.ini", Body=PICASA)
    client.put_object(Bucket=bucket, Key="album/3.png.xmp", Body=b"")  # S3 answers 416 to a range of it
    yield f"s3://{bucket}/album"
    server.stop()


def test_names_and_dates_beside_photos_in_s3_arrive(
    address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The files are shown with their addresses. No copy stays, and a second import decides nothing."""
    copies = tmp_path / "copies"
    copies.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(copies))
    with catalog.open(tmp_path / "catalog.sqlite3", create=True) as opened:
        for outcome in opened.scan([address]):
            assert outcome.kind != "failed"
        assert ("1987-06", "sidecar") in {(photo.date, photo.source) for photo in opened.photo_dates(address)}
        assert opened.import_xmp().elsewhere == 3
        result = opened.import_xmp(from_s3=True)
        empty = f'"{address}/3.png.xmp" cannot be read: The XMP is empty.'
        assert (result.problems, result.elsewhere, result.appearances) == ((empty,), 0, 3)
        rows = opened.sql("SELECT name, source FROM v1_named_appearances ORDER BY name").rows
        assert rows == (
            ("Ann", f"{address}/1.png.xmp"),
            ("Ben", f"{address}/2.png.json"),
            ("Cid", f"{address}/.picasa.ini"),
        )
        decided = len(opened.decisions.history())
        opened.import_xmp(from_s3=True)
        assert len(opened.decisions.history()) == decided
        with pytest.raises(UsageError, match="not both"):
            opened.import_xmp(from_s3=True, into=tmp_path)
    assert list(copies.iterdir()) == []
