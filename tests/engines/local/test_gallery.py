"""The gallery is exact, shared by processes, and stores no face twice; on SQLite and PostgreSQL."""

from __future__ import annotations

import hashlib
import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pytest
import sqlalchemy
from sqlalchemy import delete, func, select

from catalog.domain.errors import DatabaseError, EngineError
from catalog.domain.faces import BoundingBox
from catalog.engines.local.common_component_removal import remove_common_components
from catalog.engines.local.gallery import LocalGallery, NewFace, image_id_of
from catalog.engines.local.tables import gallery_collections, gallery_faces, gallery_images


def sha(number: int) -> str:
    return hashlib.sha256(str(number).encode()).hexdigest()


def vector(seed: int) -> np.ndarray:
    values = np.random.default_rng(seed).standard_normal(128).astype(np.float32)
    return values / np.linalg.norm(values)


def own(seed: int) -> np.ndarray:
    """Return the vector that a search compares."""
    return remove_common_components(vector(seed)[None])[0]


def face(seed: int, left: float = 0.1) -> NewFace:
    return NewFace(BoundingBox(left, 0.2, 0.1, 0.15), 99.0, vector(seed))


@contextmanager
def connect(url: str) -> Iterator[sqlalchemy.Engine]:
    """An engine whose connections are closed at the end. Python 3.13 reports a connection that nothing closed."""
    options = {"timeout": 60} if url.startswith("sqlite") else {}
    engine = sqlalchemy.create_engine(url, connect_args=options)
    try:
        yield engine
    finally:
        engine.dispose()


@pytest.fixture
def gallery(database):
    return LocalGallery(database.engine, "family", "model/1")


def test_enrolling_an_image_again_gives_the_same_ids(gallery):
    """Faces are identified by their box in the image, in any order."""
    first = gallery.enroll(sha(1), [face(1), face(2, left=0.5)])
    again = gallery.enroll(sha(1), [face(2, left=0.502), face(1)])
    assert again == first[::-1]
    assert len(list(gallery.faces())) == 2


def test_a_face_that_was_not_found_the_first_time_is_added(gallery):
    """A second enrollment of an image adds new faces and keeps stored ones."""
    (first_id,) = gallery.enroll(sha(1), [face(1)])
    ids = gallery.enroll(sha(1), [face(2, left=0.5), face(1)])
    assert ids[1] == first_id
    assert {face.face_id for face in gallery.faces()} == set(ids)


def test_an_image_without_a_face_is_stored(gallery, database):
    """The image gets a row, so it is not analyzed again."""
    assert gallery.enroll(sha(1), []) == []
    with database.engine.connect() as connection:
        (row,) = connection.execute(select(gallery_images.c.sha256, gallery_images.c.image_id)).all()
    assert row.sha256 == sha(1)
    assert row.image_id == image_id_of(sha(1))


def test_two_names_of_one_image_are_two_enrollments(gallery):
    """As with Amazon, another ExternalImageId stores the faces again under the same image id."""
    (first_id,) = gallery.enroll(sha(1), [face(1)], external_image_id="a")
    (two,) = gallery.enroll(sha(1), [face(1)], external_image_id="b")
    assert first_id != two


def test_collections_of_one_database_do_not_see_each_other(gallery, database):
    """A search runs against one collection."""
    second = LocalGallery(database.engine, "work", "model/1")
    gallery.enroll(sha(1), [face(1)])
    assert second.nearest(vector(1), 0.5, 10) == []
    second.enroll(sha(1), [face(1)])
    assert len(second.nearest(vector(1), 0.5, 10)) == 1


def test_search_is_exact(gallery):
    """A search returns the same faces in the same order as a comparison of all pairs."""
    ids = [gallery.enroll(sha(n), [face(n)])[0] for n in range(120)]
    probe = own(1000)
    cosines = {face_id: float(own(n) @ probe) for n, face_id in enumerate(ids)}
    expected = sorted(cosines, key=lambda face_id: -cosines[face_id])[:10]
    matches = gallery.nearest(probe, -1.0, 10)
    assert [face_id for face_id, _ in matches] == expected
    for face_id, cosine in matches:
        assert cosine == pytest.approx(cosines[face_id], abs=5e-4)


def test_search_keeps_to_floor_and_limit(gallery):
    """Matches are at or above the floor, at most the limit, and without the excluded face."""
    ids = [gallery.enroll(sha(n), [face(n)])[0] for n in range(20)]
    assert [face_id for face_id, _ in gallery.nearest(vector(3), 0.9, 10)] == [ids[3]]
    assert gallery.nearest(vector(3), 0.9, 10, without=ids[3]) == []
    assert len(gallery.nearest(vector(3), -1.0, 7, without=ids[3])) == 7


def test_vectors_come_in_the_order_of_their_ids(gallery):
    """The order holds after a removal, too. A removed id raises KeyError."""
    ids = [gallery.enroll(sha(n), [face(n)])[0] for n in range(6)]
    gallery.remove([ids[2]])
    requested = [5, 0, 3, 3]
    rows = gallery.vectors([ids[n] for n in requested])
    for row, n in zip(rows, requested, strict=True):
        np.testing.assert_allclose(row, own(n), atol=1e-3)
    assert gallery.vectors([]).shape == (0, 128)
    with pytest.raises(KeyError):
        gallery.vectors([ids[2]])
    with pytest.raises(KeyError):
        gallery.vector(ids[2])


def test_another_gallery_object_sees_what_was_added_and_removed(gallery, database):
    """A second gallery object, like a second process, reads only the changes."""
    second = LocalGallery(database.engine, "family", "model/1")
    (first_id,) = gallery.enroll(sha(1), [face(1)])
    assert [face_id for face_id, _ in second.nearest(vector(1), 0.9, 10)] == [first_id]
    (two,) = gallery.enroll(sha(2), [face(2)])
    gallery.remove([first_id])
    assert second.nearest(vector(1), 0.9, 10) == []
    assert [face_id for face_id, _ in second.nearest(vector(2), 0.9, 10)] == [two]


def test_a_recreated_collection_is_read_again(gallery, database):
    """A collection deleted and created under the same name is another collection, even at the same revision."""
    gallery.enroll(sha(1), [face(1)])
    assert gallery.nearest(vector(1), 0.9, 10)
    with database.engine.begin() as connection:
        connection.execute(delete(gallery_faces))
        connection.execute(delete(gallery_images))
        connection.execute(delete(gallery_collections))
    assert gallery.nearest(vector(1), 0.9, 10) == []
    second = LocalGallery(database.engine, "family", "model/1")
    (two,) = second.enroll(sha(2), [face(2)])
    assert gallery.nearest(vector(1), 0.9, 10) == []
    assert [face_id for face_id, _ in gallery.nearest(vector(2), 0.9, 10)] == [two]


def test_removal_returns_the_removed_ids(gallery):
    """Unknown and repeated ids are ignored. More ids than one statement can hold are removed, too."""
    ids = [gallery.enroll(sha(n), [face(n)])[0] for n in range(3)]
    strangers = [f"00000000-0000-4000-8000-{n:012d}" for n in range(1200)]
    assert gallery.remove([ids[0], *strangers, ids[2], ids[0]]) == {ids[0], ids[2]}
    assert gallery.remove([]) == set()
    assert [face.face_id for face in gallery.faces()] == [ids[1]]


def test_enrolled_faces_have_box_and_photo(gallery):
    """Content hash, box and confidence are stored unchanged."""
    (face_id,) = gallery.enroll(sha(1), [face(1, left=-0.05)])
    (enrolled,) = gallery.faces()
    assert enrolled.face_id == face_id
    assert enrolled.sha256 == sha(1)
    assert enrolled.box == BoundingBox(-0.05, 0.2, 0.1, 0.15)
    assert enrolled.confidence == 99.0


def test_another_models_vectors_are_refused(gallery, database):
    """Search and enrollment refuse to mix models. The message names both models and has a remedy."""
    gallery.enroll(sha(1), [face(1)])
    second = LocalGallery(database.engine, "family", "model/2")
    with pytest.raises(EngineError, match=r"model/1.*model/2") as caught:
        second.nearest(vector(1), 0.5, 10)
    assert caught.value.remedy
    with pytest.raises(EngineError):
        second.enroll(sha(2), [face(2)])


def test_a_database_without_the_tables_is_a_database_error(tmp_path):
    """The error has a clear message and a remedy."""
    with (
        connect(f"sqlite:///{tmp_path / 'empty.sqlite3'}") as engine,
        pytest.raises(DatabaseError, match="cannot be read or written") as caught,
    ):
        LocalGallery(engine, "family", "model/1").nearest(vector(1), 0.5, 10)
    assert caught.value.remedy


def test_released_rows_are_read_again(gallery):
    """After a release the next search finds all faces."""
    (first_id,) = gallery.enroll(sha(1), [face(1)])
    assert gallery.nearest(vector(1), 0.9, 10)
    gallery.release_rows()
    assert [face_id for face_id, _ in gallery.nearest(vector(1), 0.9, 10)] == [first_id]


def test_threads_search_while_others_enroll_and_remove(gallery):
    """A search never sees a partly written row: the face that stays is always found."""
    (steady,) = gallery.enroll(sha(0), [face(0)])
    stop = threading.Event()
    misses: list[object] = []

    def search() -> None:
        while not stop.is_set():
            matches = gallery.nearest(vector(0), 0.9, 10)
            if [face_id for face_id, _ in matches] != [steady]:
                misses.append(matches)

    searchers = [threading.Thread(target=search) for _ in range(2)]
    for searcher in searchers:
        searcher.start()
    for n in range(1, 60):
        ids = gallery.enroll(sha(n), [face(n)])
        if n % 3 == 0:
            gallery.remove(ids)
    stop.set()
    for searcher in searchers:
        searcher.join()
    assert misses == []


# ------------------------------------------------------------------------------------------------------ processes


def _enroll_all(url: str, numbers: list[int], answers: multiprocessing.Queue) -> None:
    with connect(url) as engine:
        gallery = LocalGallery(engine, "family", "model/1")
        answers.put({n: gallery.enroll(sha(n), [face(n), face(n + 10_000, left=0.6)]) for n in numbers})


def test_processes_that_enroll_the_same_images_agree(database, database_url):
    """Three processes enroll the same forty images in different orders: they get the same ids, and no face twice."""
    context = multiprocessing.get_context("spawn")
    answers = context.Queue()
    orders = [np.random.default_rng(n).permutation(40).tolist() for n in range(3)]
    workers = [context.Process(target=_enroll_all, args=(database_url, order, answers)) for order in orders]
    for worker in workers:
        worker.start()
    ids = [answers.get(timeout=60) for _ in workers]
    for worker in workers:
        worker.join()
    assert ids[0] == ids[1] == ids[2]
    with database.engine.connect() as connection:
        assert connection.execute(select(func.count()).select_from(gallery_faces)).scalar_one() == 80


def _enroll_for_ever(url: str) -> None:
    with connect(url) as engine:
        gallery = LocalGallery(engine, "family", "model/1")
        for n in range(100_000):
            gallery.enroll(sha(n), [face(n), face(n + 100_000, left=0.6)])


def test_a_killed_process_leaves_whole_images(database, database_url):
    """After SIGKILL during enrollment every image has both faces or none, and the next enrollment works."""
    context = multiprocessing.get_context("spawn")
    worker = context.Process(target=_enroll_for_ever, args=(database_url,))
    worker.start()
    gallery = LocalGallery(database.engine, "family", "model/1")
    deadline = time.monotonic() + 30
    while len(gallery.rows().seqs) < 20 and time.monotonic() < deadline:
        time.sleep(0.01)
    os.kill(worker.pid, signal.SIGKILL)
    worker.join()
    with database.engine.connect() as connection:
        per_image = select(func.count()).select_from(gallery_faces).group_by(gallery_faces.c.sha256)
        counts = connection.execute(per_image).scalars().all()
    assert len(counts) >= 10
    assert set(counts) == {2}
    ids = gallery.enroll(sha(0), [face(0), face(100_000, left=0.6)])
    assert len(ids) == 2
    assert [face_id for face_id, _ in gallery.nearest(vector(0), 0.9, 10)] == ids[:1]
