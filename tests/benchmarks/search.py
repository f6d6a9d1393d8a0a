"""Time, recall and memory of the gallery's search: one probe against a million stored faces, or ten million.

    python -m tests.benchmarks.search [--faces 1000000] [--folder FOLDER] [--prepare] [--index] [--convert]

Faces are random unit vectors around random people, 20 faces each, in a real SQLite gallery. One process builds the
search file, and another one maps it and searches. Recall is measured against the exact float32 products with all faces,
read from the database. With ``--folder`` the gallery is kept for later runs; ``--prepare`` only makes it. With
``--index`` usearch's approximate index searches the same vectors, in its own environment. ``--convert`` measures how
fast float16 and int8 are widened to float32.
"""

from __future__ import annotations

import argparse
import json
import sqlite3
import subprocess
import sys
import tempfile
import time
import uuid
import venv
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import sqlalchemy
from sqlalchemy import select

from catalog.domain.faces import BoundingBox
from catalog.engines.local.common_component_removal import remove_common_components
from catalog.engines.local.gallery import LocalGallery, NewFace, image_id_of, now
from catalog.engines.local.replica import vectors_of
from catalog.engines.local.similarity import MIRRORED
from catalog.engines.local.tables import create_gallery, gallery_faces

PER_PERSON = 20
PART = 50_000
LIMIT = 100
FLOOR = MIRRORED.cosine(80)


def unit(vectors: np.ndarray) -> np.ndarray:
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def open_gallery(folder: Path) -> LocalGallery:
    database = sqlalchemy.create_engine(f"sqlite:///{folder / 'gallery.sqlite3'}")
    return LocalGallery(database, "million", "model/1", search_folder=folder / "search", mapped_from=0)


def prepare(folder: Path, count: int, probe_count: int) -> None:
    """Make the gallery, the probes and their exact matches, as far as the folder lacks them."""
    size = folder / "size.json"
    if not size.exists():
        make_gallery(folder, count)
        size.write_text(json.dumps(count))
    if json.loads(size.read_text()) != count:
        raise SystemExit(f"{folder} holds a gallery of {size.read_text()} faces")
    if not (folder / "probes.npz").exists():
        probes = make_probes(folder, count, probe_count)
        started = time.perf_counter()
        np.savez(folder / "probes.npz", probes=probes, **exact_matches(folder, probes))
        print(f"exact matches of {probe_count} probes in {time.perf_counter() - started:.0f} s", flush=True)


def make_gallery(folder: Path, count: int) -> None:
    database = sqlalchemy.create_engine(f"sqlite:///{folder / 'gallery.sqlite3'}")
    create_gallery(database)
    # This creates the rows of the collection and of an image.
    box = BoundingBox(0.1, 0.1, 0.2, 0.2)
    LocalGallery(database, "million", "model/1").enroll("f" * 64, [NewFace(box, 99.0, unit(np.ones((1, 128)))[0])])
    database.dispose()
    started = time.perf_counter()
    fill(folder / "gallery.sqlite3", count)
    print(f"{count:,} faces stored in {time.perf_counter() - started:.0f} s", flush=True)


def make_probes(folder: Path, count: int, probe_count: int) -> np.ndarray:
    """Return vectors like those of stored faces at equal distances."""
    database = sqlalchemy.create_engine(f"sqlite:///{folder / 'gallery.sqlite3'}")
    seqs = [2 + index * (count // probe_count) for index in range(probe_count)]
    with database.connect() as connection:
        blobs = connection.execute(select(gallery_faces.c.vector).where(gallery_faces.c.seq.in_(seqs))).scalars()
        vectors = np.stack([np.frombuffer(blob, "<f2").astype(np.float32) for blob in blobs])
    noise = 0.05 * np.random.default_rng(1).standard_normal(vectors.shape)
    return remove_common_components(unit(vectors + noise))


def fill(path: Path, count: int) -> None:
    """Store ``count`` faces, a thousand on each image."""
    random = np.random.default_rng(0)
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA synchronous = OFF")
    connection.execute("PRAGMA cache_size = -400000")
    created = now()
    for start in range(0, count, PART):
        people = unit(random.standard_normal((PART // PER_PERSON, 128)))
        vectors = unit(np.repeat(people, PER_PERSON, axis=0) + 0.075 * random.standard_normal((PART, 128)))
        halves = vectors[: count - start].astype("<f2")
        images = [f"{image:064x}" for image in range(start // 1000, (start + len(halves) - 1) // 1000 + 1)]
        connection.execute("BEGIN")
        connection.executemany(
            "INSERT INTO gallery_images VALUES ('million', ?, '', ?, ?)",
            [(sha256, image_id_of(sha256), created) for sha256 in images],
        )
        connection.executemany(
            "INSERT INTO gallery_faces (face_id, collection_id, sha256, external_image_id, image_id, box_left, box_top,"
            " box_width, box_height, confidence, vector, revision, created_at)"
            " VALUES (?, 'million', ?, '', 'image', 0.1, 0.1, 0.2, 0.2, 99.0, ?, 1, ?)",
            (
                # In ascending order: random ids would make the index slow to fill.
                (str(uuid.UUID(int=start + row + 1)), images[row // 1000], half.tobytes(), created)
                for row, half in enumerate(halves)
            ),
        )
        connection.execute("COMMIT")
    connection.close()


def stored_parts(folder: Path) -> Iterator[tuple[tuple[str, ...], np.ndarray]]:
    """Face ids and float32 vectors of all faces, in parts."""
    database = sqlalchemy.create_engine(f"sqlite:///{folder / 'gallery.sqlite3'}")
    query = select(gallery_faces.c.face_id, gallery_faces.c.vector).order_by(gallery_faces.c.seq)
    with database.connect() as connection:
        for part in connection.execute(query.execution_options(yield_per=PART)).partitions():
            face_ids, blobs = zip(*part, strict=True)
            yield face_ids, vectors_of(blobs)


def exact_matches(folder: Path, probes: np.ndarray) -> dict[str, np.ndarray]:
    """The best matches of each probe at or above the floor, as arrays ``0``, ``1``, ... of face ids."""
    best: list[list[tuple[float, str]]] = [[] for _ in probes]
    for face_ids, vectors in stored_parts(folder):
        for matches, dots in zip(best, probes @ vectors.T, strict=True):
            (rows,) = np.nonzero(dots >= FLOOR)
            matches += [(float(dots[row]), face_ids[row]) for row in rows]
            matches.sort(reverse=True)
            del matches[LIMIT:]
    return {str(i): np.array([face_id for _, face_id in matches]) for i, matches in enumerate(best)}


def memory() -> dict[str, float]:
    """Memory of this process in MiB: its own, and mapped files."""
    lines = Path("/proc/self/status").read_text().splitlines()
    fields = dict(line.split(":", 1) for line in lines if line.startswith(("RssAnon", "RssFile", "VmHWM")))
    return {name: int(value.split()[0]) / 1024 for name, value in fields.items()}


def measure(folder: Path) -> None:
    """In this process: search all probes through the search file."""
    data = np.load(folder / "probes.npz")
    probes = data["probes"]
    before = memory()
    started = time.perf_counter()
    gallery = open_gallery(folder)
    gallery.nearest(probes[0], FLOOR, LIMIT)
    print(f"first search of a process: {time.perf_counter() - started:.2f} s")
    seconds, matched, expected = [], 0, 0
    for index, probe in enumerate(probes):
        started = time.perf_counter()
        matches = {face_id for face_id, _ in gallery.nearest(probe, FLOOR, LIMIT)}
        seconds.append(time.perf_counter() - started)
        exact = set(data[str(index)].tolist())
        expected += len(exact)
        matched += len(exact & matches)
    milliseconds = np.array(seconds) * 1000
    print(
        f"further searches: median {np.median(milliseconds):.0f} ms, "
        f"95th percentile {np.percentile(milliseconds, 95):.0f} ms; "
        f"recall against exact float32 {matched / max(expected, 1):.6f} of {expected}"
    )
    started = time.perf_counter()
    count = len(gallery.nearest(probes[0], FLOOR, 4096))
    print(f"one search for the best {count:,}: {time.perf_counter() - started:.2f} s")
    after = memory()
    print(
        f"memory: {after['RssAnon'] - before['RssAnon']:.0f} MiB of its own, "
        f"{after['RssFile'] - before['RssFile']:.0f} MiB of the mapped file (page cache, shared)"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--faces", type=int, default=1_000_000)
    parser.add_argument("--probes", type=int, default=20)
    parser.add_argument("--folder", type=Path, help="keep the gallery here")
    parser.add_argument("--prepare", action="store_true", help="make the gallery and the search file, measure nothing")
    parser.add_argument("--index", action="store_true", help="compare with usearch")
    parser.add_argument("--convert", action="store_true", help="measure the conversion to float32 and nothing else")
    parser.add_argument("--step", choices=["build", "measure"], help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.convert:
        compare_conversions()
    elif arguments.step == "build":
        build(arguments.folder)
    elif arguments.step == "measure":
        measure(arguments.folder)
    else:
        with tempfile.TemporaryDirectory() as temporary:
            folder = arguments.folder or Path(temporary)
            folder.mkdir(parents=True, exist_ok=True)
            prepare(folder, arguments.faces, arguments.probes)
            steps = ["build"] if arguments.prepare else ["build", "measure"]
            for step in steps:
                command = [sys.executable, "-m", "tests.benchmarks.search", "--folder", str(folder), "--step", step]
                subprocess.run(command, check=True)
            if arguments.index:
                search_index(folder)


def build(folder: Path) -> None:
    """Build the search file, unless it is up to date."""
    probe = np.load(folder / "probes.npz")["probes"][0]
    exists = (folder / "search").exists()
    started = time.perf_counter()
    open_gallery(folder).nearest(probe, FLOOR, LIMIT)
    size = sum(file.stat().st_size for file in (folder / "search").glob("*.vectors"))
    verb = "was up to date" if exists else f"built in {time.perf_counter() - started:.0f} s"
    print(f"the search file has {size / 2**20:.0f} MiB, {verb}; peak memory {memory()['VmHWM']:.0f} MiB", flush=True)


def compare_conversions() -> None:
    """Print processor time for 10 million rows of 128 values, converted in blocks of 1,024."""
    random = np.random.default_rng(0)
    rows, probe = np.empty((1024, 128), np.float32), unit(random.standard_normal((1, 128)))[0]
    halves = unit(random.standard_normal((204_800, 128))).astype(np.float16)
    codes = np.rint(halves.astype(np.float32) * 300).astype(np.int8)
    for name, stored, has_dots in (
        ("float16 to float32", halves, False),
        ("int8 to float32", codes, False),
        ("int8 to float32, with dot products", codes, True),
    ):
        times = []
        for _ in range(5):
            started = time.thread_time()
            for start in range(0, len(stored), len(rows)):
                np.copyto(rows, stored[start : start + len(rows)])
                if has_dots:
                    np.vecdot(rows, probe)
            times.append(time.thread_time() - started)
        print(f"{name}: {min(times) / len(stored) * 1e7:.2f} s")


def search_index(folder: Path) -> None:
    """Search the same probes in usearch's index, with 64, 256 and 1,024 visited vectors."""
    python = folder / "venv" / "bin" / "python"
    venv.create(folder / "venv", with_pip=True)
    subprocess.run([python, "-m", "pip", "install", "--quiet", "usearch==2.26.6", "numpy"], check=True)
    np.save(folder / "stored.npy", np.concatenate([vectors for _, vectors in stored_parts(folder)]))
    np.save(folder / "probes.npy", np.load(folder / "probes.npz")["probes"])
    script = Path(__file__).with_name("rivals") / "index.py"
    files = [str(folder / "stored.npy"), str(folder / "probes.npy")]
    command = [str(python), str(script), *files, str(FLOOR), str(LIMIT)]
    answer = subprocess.run(command, check=True, capture_output=True, text=True)
    for result in map(json.loads, answer.stdout.splitlines()):
        print(
            f"usearch, {result['expansion']} visited: built in {result['built']:.0f} s, "
            f"{result['bytes'] / 2**20:.0f} MiB; a probe: median {result['median']:.1f} ms, "
            f"95th percentile {result['percentile_95']:.1f} ms; recall against exact {result['recall']:.4f}"
        )


if __name__ == "__main__":
    main()
