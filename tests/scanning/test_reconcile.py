"""Gallery and catalogue compared and repaired, both ways."""

from __future__ import annotations

from datetime import UTC, datetime

from catalog.images.decode import open_image
from catalog.scanning.reconcile import compare, reconcile
from catalog.sources.folder import FolderSource
from catalog.sources.uri import file_path
from catalog.vocabulary import PhotoRef
from tests.fakes import Drawn, save_drawing


def repair(scanner):
    def read(place):
        return FolderSource(file_path(place.uri)).open(PhotoRef(place.uri, place.size, place.modified_ns))

    return reconcile(
        scanner.database,
        scanner.engine,
        gallery="catalog",
        read=read,
        open_photo=open_image,
        now=datetime.now(UTC),
    )


def test_a_catalogue_and_its_gallery_agree_after_a_scan(scanner, folder):
    """Nothing to do."""
    save_drawing(folder / "a.png", [Drawn("ann")])
    scanner()
    assert compare(scanner.database, scanner.engine, gallery="catalog").agree


def test_gallery_faces_without_a_row_are_removed(scanner, folder, rows):
    """They are what a lost catalogue, or somebody else, left behind."""
    save_drawing(folder / "a.png", [Drawn("ann")])
    scanner()
    stray = save_drawing(folder.parent / "stray.png", [Drawn("bob")])
    scanner.engine.enroll(open_image(stray.read_bytes()), "ff" * 32)
    found, done = repair(scanner)
    assert (len(found.orphans), done.removed) == (1, 1)
    assert compare(scanner.database, scanner.engine, gallery="catalog").agree


def test_lost_faces_are_enrolled_again_and_keep_their_rows(scanner, folder, rows):
    """The person and the decisions that hang on the row stay with the face, under its new id."""
    save_drawing(folder / "a.png", [Drawn("ann"), Drawn("bob", left=140)])
    scanner()
    before = rows("SELECT id, box_left FROM faces ORDER BY id")
    lost = next(iter(scanner.engine.enrolled())).face_id
    scanner.engine.remove([lost])
    found, done = repair(scanner)
    assert (len(found.missing), done.enrolled, done.failures) == (1, 1, ())
    assert rows("SELECT id, box_left FROM faces ORDER BY id") == before
    assert (lost,) not in rows("SELECT face_id FROM faces")
    assert compare(scanner.database, scanner.engine, gallery="catalog").agree


def test_a_photo_that_cannot_be_read_any_more_is_told(scanner, folder):
    """It stays in the catalogue; the sentence names its content."""
    photo = save_drawing(folder / "a.png", [Drawn("ann")])
    scanner()
    photo.unlink()
    scanner.engine.remove([face.face_id for face in scanner.engine.enrolled()])
    _, done = repair(scanner)
    assert len(done.failures) == 1
    assert "can be read" in done.failures[0][1]
