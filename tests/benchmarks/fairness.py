"""48 callers at once against the endpoint: does each get the same number of answers?

    python -m tests.benchmarks.fairness [--callers 48] [--seconds 30]

Each caller detects faces without a pause. Prints the fewest and the most answers of one caller, and the median and the
longest wait. Exit code 1 if the fewest are less than 80 % of the most, or if a caller waits more than three times the
median.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import threading
import time

from tests.benchmarks.hostile_requests import _SERVE
from tests.endpoint.wire import client_of, portrait

SHARE = 0.8
LONGEST = 3.0


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--callers", type=int, default=48)
    parser.add_argument("--seconds", type=float, default=30.0)
    options = parser.parse_args()
    server = subprocess.Popen([sys.executable, "-c", _SERVE], stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    waits: list[list[float]] = [[] for _ in range(options.callers)]
    start = threading.Barrier(options.callers + 1)
    image = portrait("biden")

    def call(own: list[float], url: str) -> None:
        client = client_of(url)
        start.wait()
        end = time.monotonic() + options.seconds
        while time.monotonic() < end:
            began = time.monotonic()
            assert client.detect_faces(Image={"Bytes": image})["FaceDetails"]
            own.append(time.monotonic() - began)

    try:
        url = server.stdout.readline().strip()
        client_of(url).detect_faces(Image={"Bytes": image})  # loads the networks
        threads = [threading.Thread(target=call, args=(own, url)) for own in waits]
        for thread in threads:
            thread.start()
        start.wait()
        for thread in threads:
            thread.join()
    finally:
        server.terminate()
        server.wait()
    answers = [len(own) for own in waits]
    every = [wait for own in waits for wait in own[1:]]  # the first calls arrive together and wait longest
    median, longest = statistics.median(every), max(every)
    print(
        f"{options.callers} callers, {sum(answers)} answers in {options.seconds:g} s: "
        f"{min(answers)} to {max(answers)} each"
    )
    print(f"wait: median {median:.2f} s, longest {longest:.2f} s")
    return 0 if min(answers) >= SHARE * max(answers) and longest <= LONGEST * median else 1


if __name__ == "__main__":
    sys.exit(main())
