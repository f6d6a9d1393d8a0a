"""With one call in five failing: no photo is lost or enrolled twice, and each billable call is in the charge log.

Run by hand: ``python -m tests.benchmarks.paid_once [--photos N] [--fail-rate R]`` (needs ../shared/data/lfw). A scan
through the endpoint, some copies of photos among the new ones; then a second one. Half of the failures come after the
work was done, and so cost a call without an answer. Exit code 1 when a photo is missing, a face is stored twice or on
one side only, the second scan asks for anything, or the charge log has other numbers than the endpoint.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import Any

from catalog.endpoint.fault_injection import FaultPlan
from catalog.endpoint.service import Handler
from catalog.web.endpoint_server import open_endpoint
from tests.benchmarks import at_endpoint

LFW = Path(__file__).parents[3] / "shared" / "data" / "lfw" / "photos"
BILLED = ("", "InternalServerError", "ConnectionDropped")
"""Answers, and failures that may come after the work was done. Throttling is not billed."""


class Enrollments:
    """Stands before IndexFaces and notes how often each photo's faces were worked out, answered or not."""

    def __init__(self, handler: Handler) -> None:
        self.handler = handler
        self.worked: Counter[str] = Counter()

    def __call__(self, call: Any) -> Any:
        answer = self.handler(call)
        self.worked[call.members["ExternalImageId"]] += 1
        return answer


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--photos", type=int, default=400)
    parser.add_argument("--fail-rate", type=float, default=0.2)
    options = parser.parse_args()
    if not LFW.is_dir():
        print(f"{LFW} is not there")
        return 0
    chosen = sorted(LFW.rglob("*.jpg"))[: options.photos]
    plan = FaultPlan(fail_rate=options.fail_rate, seed=1)
    with tempfile.TemporaryDirectory() as root, open_endpoint(str(Path(root, "endpoint.sqlite3")), plan=plan) as server:
        photos, home = Path(root, "photos"), Path(root, "home")
        photos.mkdir()
        home.mkdir()
        for number, photo in enumerate(chosen):
            shutil.copyfile(photo, photos / photo.name)
            if number % 20 == 0:
                shutil.copyfile(photo, photos / f"copy of {photo.name}")
        handlers = server.service._handlers
        enrollments = handlers["IndexFaces"] = Enrollments(handlers["IndexFaces"])  # type: ignore[index]
        with server.in_background() as url:
            environment = {**os.environ, **at_endpoint.environment(url, home, calls_per_second=500)}
            command = [sys.executable, "-m", "catalog.cli.main", "scan", str(photos)]
            codes = [subprocess.run(command, env=environment, check=False).returncode]
            first = server.service.tally
            codes.append(subprocess.run(command, env=environment, check=False).returncode)
            again = server.service.tally - first
        with closing(sqlite3.connect(home / "catalog.sqlite3")) as catalogue:
            catalogued = {face_id for (face_id,) in catalogue.execute("SELECT face_id FROM v1_faces")}
            (missing,) = catalogue.execute(
                "SELECT count(*) FROM photos LEFT JOIN enrollments ON photo_id = photos.id WHERE photo_id IS NULL"
            ).fetchone()
            (contents,) = catalogue.execute("SELECT count(*) FROM photos").fetchone()
            ledger = dict(catalogue.execute("SELECT operation, sum(calls) FROM charges GROUP BY operation").fetchall())
        with closing(sqlite3.connect(Path(root, "endpoint.sqlite3"))) as collection:
            rows = collection.execute(
                "SELECT face_id, external_image_id, box_left, box_top FROM gallery_faces"
            ).fetchall()
        gallery_ids = [row[0] for row in rows]
        places = Counter(row[1:] for row in rows)
    answered = first["IndexFaces", ""]
    failed = sum(count for (operation, error), count in first.items() if operation == "IndexFaces" and error)
    billed = {
        operation: sum(first[operation, error] for error in BILLED) for operation in ("IndexFaces", "SearchFaces")
    }
    twice = sum(count - 1 for count in enrollments.worked.values())
    print(f"{contents} photos, {len(catalogued)} faces; exit codes {codes}")
    print(
        f"IndexFaces: {answered} answered, {failed} failed; the work was done {twice} times more than there are photos"
    )
    odd = len(catalogued ^ set(gallery_ids))
    print(f"gallery: {len(gallery_ids)} faces, at most {max(places.values())} per box; {odd} on one side only")
    print(f"charge log {ledger}; billable {billed}")
    print(f"second scan: {sum(n for (operation, _), n in again.items() if operation in billed)} paid calls")
    proven = (
        codes == [0, 0]
        and (contents, missing) == (len(chosen), 0)
        and answered == contents
        and set(gallery_ids) == catalogued
        and len(gallery_ids) == len(catalogued)
        and max(places.values()) == 1
        and ledger == billed
        and not any(again[operation, error] for operation, error in again if operation in billed)
    )
    print("proven" if proven else "NOT PROVEN")
    return 0 if proven else 1


if __name__ == "__main__":
    sys.exit(main())
