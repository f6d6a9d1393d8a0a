"""Time and recall of the gallery's search: one probe against a million stored faces.

    python -m tests.benchmarks.search [--faces 1000000] [--index]

Faces are random unit vectors around random people. They are written to a real SQLite gallery, read by a second gallery
object as by a second process, and searched by :meth:`LocalGallery.nearest`. With ``--index`` usearch's approximate
index searches the same vectors, in its own environment.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import tempfile
import time
import uuid
import venv
from pathlib import Path

import numpy as np
import sqlalchemy
from sqlalchemy import insert

from catalog.domain.faces import BoundingBox
from catalog.engines.local.common_component_removal import remove_common_components
from catalog.engines.local.gallery import LocalGallery, NewFace, image_id_of, now
from catalog.engines.local.similarity import MIRRORED
from catalog.engines.local.tables import create_gallery, gallery_faces, gallery_images

PER_PERSON = 20


def fill(database: sqlalchemy.Engine, gallery: LocalGallery, count: int) -> np.ndarray:
    """Store ``count`` faces in few large transactions. Returns their vectors as stored."""
    random = np.random.default_rng(0)
    gallery.enroll(
        "f" * 64, [NewFace(BoundingBox(0.1, 0.1, 0.2, 0.2), 99.0, unit(random.standard_normal((1, 128)))[0])]
    )
    parts = []
    for start in range(0, count, 50_000):
        people = unit(random.standard_normal((50_000 // PER_PERSON, 128)))
        vectors = unit(np.repeat(people, PER_PERSON, axis=0) + 0.075 * random.standard_normal((50_000, 128)))
        halves = vectors[: count - start].astype("<f2")
        parts.append(unit(halves.astype(np.float32)))
        created = now()
        rows = []
        for index, half in enumerate(halves):
            sha256 = f"{start + index:064x}"
            rows.append(
                {
                    "collection_id": "million",
                    "sha256": sha256,
                    "external_image_id": "",
                    "image_id": image_id_of(sha256),
                    "created_at": created,
                    "face_id": str(uuid.uuid4()),
                    "box_left": 0.1,
                    "box_top": 0.1,
                    "box_width": 0.2,
                    "box_height": 0.2,
                    "confidence": 99.0,
                    "vector": half.tobytes(),
                    "revision": 1,
                }
            )
        images = [{key: row[key] for key in gallery_images.c.keys()} for row in rows]  # noqa: SIM118
        with database.begin() as connection:
            connection.execute(insert(gallery_images), images)
            connection.execute(insert(gallery_faces), rows)
    return np.concatenate(parts)


def unit(vectors: np.ndarray) -> np.ndarray:
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--faces", type=int, default=1_000_000)
    parser.add_argument("--probes", type=int, default=100)
    parser.add_argument("--index", action="store_true", help="compare with usearch")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        database = sqlalchemy.create_engine(f"sqlite:///{Path(folder) / 'gallery.sqlite3'}")
        create_gallery(database)
        started = time.perf_counter()
        stored = fill(database, LocalGallery(database, "million", "model/1"), arguments.faces)
        print(f"{arguments.faces:,} faces stored in {time.perf_counter() - started:.0f} s")
        gallery = LocalGallery(database, "million", "model/1")
        started = time.perf_counter()
        rows = gallery.rows()
        print(f"loaded in {time.perf_counter() - started:.1f} s, {rows.vectors.nbytes / 2**20:.0f} MiB of vectors")
        random = np.random.default_rng(1)
        noisy = stored[random.integers(0, len(stored), arguments.probes)] + 0.05 * random.standard_normal((1, 128))
        probes, stored = remove_common_components(unit(noisy)), remove_common_components(stored)
        seconds, hits, expected = [], 0, 0
        floor = MIRRORED.cosine(80)
        for probe in probes:
            started = time.perf_counter()
            matches = gallery.nearest(probe, floor, 100)
            seconds.append(time.perf_counter() - started)
            exact = stored @ probe
            best = np.sort(exact[exact >= floor])[::-1][:100]
            expected += len(best)
            hits += sum(cosine >= best[-1] - 1e-6 for _, cosine in matches) if len(best) else 0
        milliseconds = np.array(seconds) * 1000
        print(
            f"a probe: median {np.median(milliseconds):.1f} ms, "
            f"95th percentile {np.percentile(milliseconds, 95):.1f} ms; "
            f"recall against exact {hits / max(expected, 1):.4f} of {expected}"
        )
        print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10:.0f} MiB")
        if arguments.index:
            search_index(stored, probes, floor, Path(folder))


def search_index(stored: np.ndarray, probes: np.ndarray, floor: float, folder: Path) -> None:
    """Search the same probes in usearch's index, with 64, 256 and 1,024 visited vectors."""
    python = folder / "venv" / "bin" / "python"
    venv.create(folder / "venv", with_pip=True)
    subprocess.run([python, "-m", "pip", "install", "--quiet", "usearch==2.26.6", "numpy"], check=True)
    for name, vectors in (("stored", stored), ("probes", probes)):
        np.save(folder / f"{name}.npy", vectors)
    script = Path(__file__).with_name("rivals") / "index.py"
    command = [str(python), str(script), str(folder / "stored.npy"), str(folder / "probes.npy"), str(floor), "100"]
    answer = subprocess.run(command, check=True, capture_output=True, text=True)
    for result in map(json.loads, answer.stdout.splitlines()):
        print(
            f"usearch, {result['expansion']} visited: built in {result['built']:.0f} s, "
            f"{result['bytes'] / 2**20:.0f} MiB; a probe: median {result['median']:.1f} ms, "
            f"95th percentile {result['percentile_95']:.1f} ms; recall against exact {result['recall']:.4f}"
        )


if __name__ == "__main__":
    main()
