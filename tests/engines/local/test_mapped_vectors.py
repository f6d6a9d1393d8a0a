"""A large gallery is searched through a file: exactly as in memory, and without faces that were removed."""

from __future__ import annotations

import hashlib
import logging
import os
import stat
import threading
from concurrent.futures import ThreadPoolExecutor, wait

import numpy as np
import pytest
from sqlalchemy import delete, select, update

from catalog.domain.errors import EngineError
from catalog.domain.faces import BoundingBox
from catalog.engines.local.common_component_removal import remove_common_components
from catalog.engines.local.embed import unit
from catalog.engines.local.gallery import LocalGallery, NewFace
from catalog.engines.local.tables import gallery_collections, gallery_faces
from catalog.engines.local.vector_codes import encode
from catalog.engines.local.vector_file import BLOCK_ROWS

COUNT = BLOCK_ROWS + 300
PER_PERSON = 10
BOX = BoundingBox(0.1, 0.2, 0.1, 0.15)


def drawn_vectors(count: int, seed: int = 0) -> np.ndarray:
    """Unit vectors of people with 10 faces each."""
    random = np.random.default_rng(seed)
    people = unit(random.standard_normal((-(-count // PER_PERSON), 128)).astype(np.float32))
    noise = 0.07 * random.standard_normal((count, 128)).astype(np.float32)
    return unit(np.repeat(people, PER_PERSON, axis=0)[:count] + noise)


def enroll(gallery: LocalGallery, vectors: np.ndarray, name: str) -> list[str]:
    faces = [NewFace(BOX, 99.0, vector) for vector in vectors]
    return gallery.enroll(hashlib.sha256(name.encode()).hexdigest(), faces)


def probe_of(vector: np.ndarray) -> np.ndarray:
    return remove_common_components(unit(vector[None]))[0]


def codes_of(vector: np.ndarray) -> bytes:
    """The bytes that the file has of a stored face."""
    stored = unit(vector[None].astype("<f2").astype(np.float32))
    return encode(remove_common_components(stored)).codes.tobytes()


def assert_equal_searches(gallery: LocalGallery, database, probes: np.ndarray) -> None:
    """Compare with a gallery that reads all vectors into memory."""
    in_memory = LocalGallery(database.engine, "family", "model/1")
    for vector in probes:
        probe = probe_of(vector)
        for floor, limit in ((0.3, 4096), (0.3, 5), (-1.0, 7), (0.9, 100)):
            expected = in_memory.nearest(probe, floor, limit)
            matches = gallery.nearest(probe, floor, limit)
            assert [face_id for face_id, _ in matches] == [face_id for face_id, _ in expected]
            assert [dot for _, dot in matches] == pytest.approx([dot for _, dot in expected], abs=1e-6)


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "vectors"


@pytest.fixture
def open_gallery(database, folder):
    return lambda: LocalGallery(database.engine, "family", "model/1", search_folder=folder, mapped_from=100)


@pytest.fixture
def gallery(open_gallery):
    return open_gallery()


def only_file(folder):
    (file,) = folder.glob("*.vectors")
    return file


def test_a_search_through_the_file_is_exact(gallery, database, folder):
    """Faces, order and similarities are those of a search in memory, over more than one block."""
    vectors = drawn_vectors(COUNT)
    ids = enroll(gallery, vectors, "first")
    assert_equal_searches(gallery, database, vectors[:: COUNT // 8] + np.float32(0.01))
    assert only_file(folder).stat().st_size > COUNT * 128
    probe = probe_of(vectors[3])
    without = gallery.nearest(probe, 0.3, 3, without=ids[3])
    assert ids[3] not in [face_id for face_id, _ in without]
    assert len(without) == 3


def test_changes_of_another_process_are_seen(gallery, open_gallery, database):
    """The file is extended and reduced by whichever process searches first."""
    vectors = drawn_vectors(300)
    ids = enroll(gallery, vectors[:200], "first")
    other = open_gallery()
    assert other.nearest(probe_of(vectors[5]), 0.9, 1)[0][0] == ids[5]
    new_ids = enroll(other, vectors[200:], "second")
    assert gallery.nearest(probe_of(vectors[250]), 0.9, 1)[0][0] == new_ids[50]
    other.remove([ids[5], new_ids[50]])
    assert_equal_searches(gallery, database, vectors[[5, 250, 7]])


def test_a_reopened_file_is_not_built_again(gallery, open_gallery, folder):
    vectors = drawn_vectors(300)
    enroll(gallery, vectors[:200], "first")
    gallery.nearest(probe_of(vectors[0]), 0.9, 1)
    inode = only_file(folder).stat().st_ino
    enroll(gallery, vectors[200:], "second")
    assert open_gallery().nearest(probe_of(vectors[250]), 0.9, 1)
    assert only_file(folder).stat().st_ino == inode


def test_a_removed_face_leaves_the_file_at_once(gallery, open_gallery, folder):
    """No search follows. A gallery that never searched removes the bytes, too."""
    vectors = drawn_vectors(300)
    ids = enroll(gallery, vectors, "first")
    gallery.nearest(probe_of(vectors[0]), 0.9, 1)
    assert codes_of(vectors[40]) in only_file(folder).read_bytes()
    gallery.remove([ids[40]])
    assert codes_of(vectors[40]) not in only_file(folder).read_bytes()
    open_gallery().remove([ids[41]])
    content = only_file(folder).read_bytes()
    assert codes_of(vectors[41]) not in content
    assert codes_of(vectors[42]) in content


def test_a_removal_that_was_killed_is_finished_by_the_next(gallery, open_gallery, database, folder):
    """The rows are gone, and the file still has the vector. Removing the face again cleans the file."""
    vectors = drawn_vectors(300)
    ids = enroll(gallery, vectors, "first")
    gallery.nearest(probe_of(vectors[0]), 0.9, 1)
    LocalGallery(database.engine, "family", "model/1").remove([ids[40]])
    assert codes_of(vectors[40]) in only_file(folder).read_bytes()
    assert open_gallery().remove([ids[40]]) == set()
    assert codes_of(vectors[40]) not in only_file(folder).read_bytes()


def test_a_removal_deletes_what_a_killed_build_left(gallery, open_gallery, folder):
    """The unfinished file may hold the vector. It is deleted without a search."""
    vectors = drawn_vectors(300)
    ids = enroll(gallery, vectors, "first")
    gallery.nearest(probe_of(vectors[0]), 0.9, 1)
    file = only_file(folder)
    file.rename(f"{file}.part")
    open_gallery().remove([ids[40]])
    assert not list(folder.glob("*.vectors*.part"))


def test_blocks_of_a_killed_update_are_cut_off(gallery, open_gallery, folder):
    """They lie behind the blocks that the header counts, and may hold vectors of faces that were removed since."""
    vectors = drawn_vectors(300)
    ids = enroll(gallery, vectors, "first")
    gallery.nearest(probe_of(vectors[0]), 0.9, 1)
    size = only_file(folder).stat().st_size
    with only_file(folder).open("ab") as file:
        file.write(codes_of(vectors[40]))
    open_gallery().remove([ids[40]])
    assert only_file(folder).stat().st_size == size
    assert codes_of(vectors[40]) not in only_file(folder).read_bytes()


def test_a_file_that_is_only_read_is_in_use(gallery, open_gallery, folder):
    """A search that changes nothing renews the time by which unused files are found."""
    vectors = drawn_vectors(300)
    enroll(gallery, vectors, "first")
    gallery.nearest(probe_of(vectors[0]), 0.9, 1)
    os.utime(only_file(folder), (1e9, 1e9))
    open_gallery().nearest(probe_of(vectors[0]), 0.9, 1)
    assert only_file(folder).stat().st_mtime > 1e9


@pytest.mark.parametrize("offset", [3, 20, 4096 + 1, 4096 + 70, -1000])
def test_a_damaged_file_is_built_again(gallery, open_gallery, database, folder, offset, caplog):
    """Damage of the magic, the header, a checksum, a row number or a code."""
    vectors = drawn_vectors(300)
    enroll(gallery, vectors, "first")
    gallery.nearest(probe_of(vectors[0]), 0.9, 1)
    content = bytearray(only_file(folder).read_bytes())
    content[offset] ^= 0x41
    only_file(folder).write_bytes(content)
    assert_equal_searches(open_gallery(), database, vectors[:3])
    assert "is damaged" in caplog.text


@pytest.mark.parametrize("size", [0, 100, 4096, 20_000])
def test_a_cut_file_is_built_again(gallery, open_gallery, database, folder, size):
    vectors = drawn_vectors(300)
    enroll(gallery, vectors, "first")
    gallery.nearest(probe_of(vectors[0]), 0.9, 1)
    content = only_file(folder).read_bytes()
    only_file(folder).unlink()
    only_file_path = folder / next(file.name.removesuffix(".lock") for file in folder.glob("*.lock"))
    only_file_path.write_bytes(content[:size])
    assert_equal_searches(open_gallery(), database, vectors[:3])


def test_a_restored_history_is_noticed(gallery, open_gallery, database):
    """A backup was restored, and other faces were enrolled until the revision was the file's again."""
    vectors = drawn_vectors(300)
    enroll(gallery, vectors[:200], "first")
    lost_ids = enroll(gallery, vectors[200:210], "second")
    gallery.nearest(probe_of(vectors[0]), 0.9, 1)
    with database.engine.begin() as connection:
        connection.execute(delete(gallery_faces).where(gallery_faces.c.face_id.in_(lost_ids)))
        connection.execute(update(gallery_collections).values(revision=gallery_collections.c.revision - 1))
    enroll(gallery, vectors[210:], "third")
    assert_equal_searches(open_gallery(), database, vectors[[205, 250]])


def test_a_restored_removal_is_noticed(gallery, open_gallery, database):
    """The file lacks a face that a restored backup holds."""
    vectors = drawn_vectors(300)
    ids = enroll(gallery, vectors[:200], "first")
    gallery.nearest(probe_of(vectors[0]), 0.9, 1)
    with database.engine.connect() as connection:
        row = connection.execute(select(gallery_faces).where(gallery_faces.c.face_id == ids[7])).mappings().one()
    gallery.remove([ids[7]])
    with database.engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM gallery_removals")
        connection.execute(update(gallery_collections).values(revision=1))
        connection.execute(gallery_faces.insert(), dict(row))
    enroll(gallery, vectors[200:], "second")
    assert_equal_searches(open_gallery(), database, vectors[[7, 250]])


def test_only_the_owner_may_read_the_file(gallery, folder):
    vectors = drawn_vectors(200)
    enroll(gallery, vectors, "first")
    gallery.nearest(probe_of(vectors[0]), 0.9, 1)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()} == {0o600}


def test_a_folder_that_cannot_be_written_is_reported(gallery, database, folder, caplog):
    """The search still works: the vectors are read into memory."""
    folder.write_text("a file has the name of the folder")
    vectors = drawn_vectors(200)
    enroll(gallery, vectors, "first")
    with caplog.at_level(logging.WARNING):
        assert_equal_searches(gallery, database, vectors[:2])
    assert "The vectors are read into memory." in caplog.text


def test_a_small_gallery_has_no_file(gallery, open_gallery, folder):
    """A gallery that became small loses its file."""
    vectors = drawn_vectors(200)
    ids = enroll(gallery, vectors, "first")
    gallery.nearest(probe_of(vectors[0]), 0.9, 1)
    assert only_file(folder)
    gallery.remove(ids[50:])
    reopened = open_gallery()
    assert reopened.nearest(probe_of(vectors[0]), 0.9, 1)[0][0] == ids[0]
    assert not list(folder.glob("*.vectors"))


def test_files_of_deleted_and_unused_collections_are_deleted(gallery, database, folder):
    """A file that no search used for 90 days is deleted, when another one is built."""
    vectors = drawn_vectors(200)
    for name in ("deleted", "unused", "used"):
        other = LocalGallery(database.engine, name, "model/1", search_folder=folder, mapped_from=100)
        enroll(other, vectors, name)
        before = set(folder.glob("*.vectors"))
        other.nearest(probe_of(vectors[0]), 0.9, 1)
        if name == "unused":
            (file,) = set(folder.glob("*.vectors")) - before
            os.utime(file, (1e9, 1e9))
        if name == "deleted":
            (file,) = set(folder.glob("*.vectors")) - before
            file.with_name(f"{file.name}.part").touch()
    with database.engine.begin() as connection:
        connection.execute(delete(gallery_collections).where(gallery_collections.c.collection_id == "deleted"))
    enroll(gallery, vectors, "first")
    gallery.nearest(probe_of(vectors[0]), 0.9, 1)
    assert len(list(folder.glob("*.vectors"))) == 2
    assert not list(folder.glob("*.part"))


def test_many_removed_faces_make_a_smaller_file(gallery, database, folder):
    vectors = drawn_vectors(2 * BLOCK_ROWS)
    ids = enroll(gallery, vectors, "first")
    gallery.nearest(probe_of(vectors[0]), 0.9, 1)
    size = only_file(folder).stat().st_size
    gallery.remove(ids[: BLOCK_ROWS + 1])
    assert only_file(folder).stat().st_size < size
    assert_equal_searches(gallery, database, vectors[[0, -1]])


def test_a_collection_that_was_deleted_has_no_matches(gallery, database, folder):
    vectors = drawn_vectors(200)
    enroll(gallery, vectors, "first")
    probe = probe_of(vectors[0])
    assert gallery.nearest(probe, 0.9, 1)
    with database.engine.begin() as connection:
        connection.execute(delete(gallery_collections))
    assert gallery.nearest(probe, 0.9, 1) == []
    assert not list(folder.glob("*.vectors"))


def test_another_model_is_refused(gallery, database, folder):
    vectors = drawn_vectors(200)
    enroll(gallery, vectors, "first")
    other = LocalGallery(database.engine, "family", "model/2", search_folder=folder, mapped_from=100)
    with pytest.raises(EngineError, match="vectors of two models cannot be compared"):
        other.nearest(probe_of(vectors[0]), 0.9, 1)


def test_a_few_vectors_are_read_without_all_others(gallery):
    """In the order of their ids, repeated ids included. An unknown id raises KeyError."""
    vectors = drawn_vectors(200)
    ids = enroll(gallery, vectors, "first")
    rows = gallery.vectors([ids[9], ids[3], ids[9]])
    for row, number in zip(rows, (9, 3, 9), strict=True):
        np.testing.assert_allclose(row, probe_of(vectors[number]), atol=1e-3)
    assert gallery.vectors([]).shape == (0, 128)
    with pytest.raises(KeyError):
        gallery.vectors(["unknown"])


def test_searches_during_changes_are_exact(open_gallery, database):
    """Two writers and two readers, each with a map of its own: a face that stays is found by every search."""
    vectors = drawn_vectors(600)
    ids = enroll(open_gallery(), vectors[:200], "first")
    done = threading.Event()

    def write(part: int) -> None:
        own = open_gallery()
        for step in range(8):
            start = 200 + part * 200 + step * 20
            new_ids = enroll(own, vectors[start : start + 20], f"{part}/{step}")
            own.remove(new_ids[:10])

    def read() -> None:
        own = open_gallery()
        while not done.is_set():
            assert own.nearest(probe_of(vectors[11]), 0.9, 1)[0][0] == ids[11]

    with ThreadPoolExecutor(4) as executor:
        readers = [executor.submit(read) for _ in range(2)]
        writers = [executor.submit(write, part) for part in range(2)]
        wait(writers)
        done.set()
        for thread in (*readers, *writers):
            thread.result()
    assert_equal_searches(open_gallery(), database, vectors[[11, 230, 590]])
