"""Comparison and repair of gallery and catalogue."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from catalog.domain.content_hash import sha256_of
from catalog.domain.photos import PhotoRef, S3Address
from catalog.domain.uri import file_path
from catalog.images.decode import open_image
from catalog.scanning.reconcile import compare, reconcile
from catalog.sources.folder import FolderSource
from tests.fakes import Drawn, save_drawing


def read(place):
    return FolderSource(file_path(place.uri)).open(PhotoRef(place.uri, place.size, place.modified_ns))


def repair(scanner, *, read=read, shared=False):
    return reconcile(
        scanner.database,
        scanner.engine,
        gallery="catalog",
        shared=shared,
        read=read,
        open_photo=open_image,
        now=datetime.now(UTC),
    )


def test_a_catalogue_and_its_gallery_agree_after_a_scan(scanner, folder):
    """No difference, nothing to repair."""
    save_drawing(folder / "a.png", [Drawn("ann")])
    scanner()
    assert compare(scanner.database, scanner.engine, gallery="catalog").agree


def test_gallery_faces_without_a_row_are_removed(scanner, folder, rows):
    """They remain of a lost catalogue or of another program."""
    save_drawing(folder / "a.png", [Drawn("ann")])
    scanner()
    stray = save_drawing(folder.parent / "stray.png", [Drawn("bob")])
    scanner.engine.enroll(open_image(stray.read_bytes()), "ff" * 32)
    difference, done = repair(scanner)
    assert (len(difference.orphans), done.removed) == (1, 1)
    assert compare(scanner.database, scanner.engine, gallery="catalog").agree


def test_in_a_shared_gallery_faces_of_unknown_photos_are_left_alone(scanner, folder):
    """Another catalogue may have enrolled them. Only faces that this catalogue removed are deleted."""
    photo = save_drawing(folder / "a.png", [Drawn("ann"), Drawn("bob", left=140)])
    scanner()
    stray = save_drawing(folder.parent / "stray.png", [Drawn("cleo")])
    scanner.engine.enroll(open_image(stray.read_bytes()), "ff" * 32)
    moved = save_drawing(folder.parent / "other.png", [Drawn("dan", left=220)])
    own = scanner.engine.enroll(open_image(moved.read_bytes()), sha256_of(photo.read_bytes())).faces
    difference = compare(scanner.database, scanner.engine, gallery="catalog", shared=True)
    assert (difference.orphans, difference.strangers) == ((own[0].face_id,), 1)
    _, done = repair(scanner, shared=True)
    assert done.removed == 1
    assert "ff" * 32 in {face.sha256 for face in scanner.engine.enrolled()}
    assert compare(scanner.database, scanner.engine, gallery="catalog", shared=True).agree
    _, done = repair(scanner)
    assert done.removed == 1


def test_a_photo_in_s3_is_enrolled_again_with_its_address(scanner, folder, monkeypatch):
    """As in a scan, the engine may read a large photo directly, without a new encoding."""
    save_drawing(folder / "a.png", [Drawn("ann")])
    scanner()
    scanner.engine.remove([face.face_id for face in scanner.engine.enrolled()])
    address = S3Address("library", "a.png", "v1", "etag", "eu-west-1")
    addresses = []
    enroll = scanner.engine.enroll

    def noted(photo, sha256):
        addresses.append(photo.address)
        return enroll(photo, sha256)

    monkeypatch.setattr(scanner.engine, "enroll", noted)
    _, done = repair(scanner, read=lambda place: replace(read(place), address=address))
    assert (done.enrolled, addresses) == (1, [address])


def test_lost_faces_are_enrolled_again_and_keep_their_rows(scanner, folder, rows):
    """The face keeps its person and its decisions under its new id."""
    save_drawing(folder / "a.png", [Drawn("ann"), Drawn("bob", left=140)])
    scanner()
    before = rows("SELECT id, box_left FROM faces ORDER BY id")
    lost = next(iter(scanner.engine.enrolled())).face_id
    scanner.engine.remove([lost])
    difference, done = repair(scanner)
    assert (len(difference.missing), done.enrolled, done.failures) == (1, 1, ())
    assert rows("SELECT id, box_left FROM faces ORDER BY id") == before
    assert (lost,) not in rows("SELECT face_id FROM faces")
    assert compare(scanner.database, scanner.engine, gallery="catalog").agree


def test_a_photo_that_cannot_be_read_any_more_is_reported(scanner, folder):
    """It stays in the catalogue, and the error names its content hash."""
    photo = save_drawing(folder / "a.png", [Drawn("ann")])
    scanner()
    photo.unlink()
    scanner.engine.remove([face.face_id for face in scanner.engine.enrolled()])
    _, done = repair(scanner)
    assert len(done.failures) == 1
    assert "can be read" in done.failures[0][1]
