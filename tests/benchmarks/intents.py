"""What do call intents cost? Scans at the endpoint with and without them, in turn.

    python -m tests.benchmarks.intents [--photos 60] [--rounds 3]

Each round scans one library twice, into two new catalogues. The endpoint runs in a process of its own and answers
0.4 s late, as Amazon does. Prints the time of each scan, and the time in which the workers waited for intents as a
share of the scan. Exit code 1 if this share is 2 % or more.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from unittest.mock import patch

import catalog
from catalog.app.database_call_log import DatabaseCallLog
from catalog.domain.charges import Charge
from tests.benchmarks import at_endpoint
from tests.benchmarks.kills import WORKERS, make_photos

MOST = 0.02
_SERVE = """
from catalog.endpoint.fault_injection import FaultPlan
from catalog.web.endpoint_server import open_endpoint
with open_endpoint(plan=FaultPlan(latency=0.4)) as server:
    print(server.url, flush=True)
    server.serve_forever()
"""


class TimedLog(DatabaseCallLog):
    """The call log; ``seconds`` is the time that all threads spent in ``begin``."""

    seconds = 0.0
    lock = threading.Lock()

    def begin(self, charge: Charge, sha256: str = "") -> int:
        began = time.monotonic()
        try:
            return super().begin(charge, sha256)
        finally:
            with self.lock:
                TimedLog.seconds += time.monotonic() - began


class NoLog:
    """Writes nothing."""

    def __init__(self, *_: object, **__: object) -> None:
        pass

    def begin(self, _charge: Charge, _sha256: str = "") -> int:
        return 0

    def discard(self, _intent: int) -> None:
        pass

    def record_empty_answer(self, _intent: int, _answer: str) -> None:
        pass

    def empty_answers(self) -> dict[str, str]:
        return {}

    def unanswered(self) -> frozenset[str]:
        return frozenset()

    def wait_for_service(self) -> None:
        pass

    def close(self) -> None:
        pass


def scan(photos: Path, gallery: str, home: Path, *, intents: bool) -> float:
    """Seconds of one scan into a new catalogue."""

    def keep(_connection: object, _intents: Sequence[int]) -> None:
        """Stands for the deletion of closed intents."""

    settings = {"engine.gallery": gallery, "scan.workers": WORKERS}
    with (
        patch("catalog.app.engines.DatabaseCallLog", TimedLog if intents else NoLog),
        patch("catalog.store.scans.close_intents", keep) if not intents else tempfile.TemporaryDirectory(),
        catalog.open(home / f"{gallery}.sqlite3", settings=settings, create=True) as library,
    ):
        began = time.monotonic()
        run = library.scan([photos])
        outcomes = list(run)
        assert all(outcome.kind == "new" for outcome in outcomes), outcomes
        return time.monotonic() - began


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--photos", type=int, default=60)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    shares: list[float] = []
    times: dict[bool, list[float]] = {True: [], False: []}
    with (
        tempfile.TemporaryDirectory() as folder,
        subprocess.Popen([sys.executable, "-c", _SERVE], stdout=subprocess.PIPE, text=True) as server,
    ):
        assert server.stdout is not None
        url, home = server.stdout.readline().strip(), Path(folder)
        make_photos(home / "photos", options.photos)
        os.environ.update(at_endpoint.environment(url, home, calls_per_second=1000))
        for number in range(options.rounds):
            for intents in (number % 2 == 0, number % 2 == 1):
                TimedLog.seconds = 0.0
                seconds = scan(home / "photos", f"round{number}{intents}", home, intents=intents)
                times[intents].append(seconds)
                if intents:
                    shares.append(TimedLog.seconds / WORKERS / seconds)
                print(f"round {number + 1}, {'with' if intents else 'without'} intents: {seconds:.1f} s", flush=True)
        server.terminate()
    share = statistics.median(shares)
    print(f"median with {statistics.median(times[True]):.1f} s, without {statistics.median(times[False]):.1f} s")
    print(f"the workers waited for intents {share:.2%} of the scan")
    return 0 if share < MOST else 1


if __name__ == "__main__":
    sys.exit(main())
