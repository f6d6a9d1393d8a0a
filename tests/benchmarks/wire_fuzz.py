"""20,000 malformed requests against the endpoint: no bug inside, no hang, no leak.

Run by hand: ``python -m tests.benchmarks.wire_fuzz [REQUESTS]``. The server is a process of its own, so that its memory
is its own; each request has ten seconds.
"""

from __future__ import annotations

import http.client
import os
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from urllib.parse import urlsplit

from hypothesis import HealthCheck, Phase, given, settings

from tests.endpoint.fuzz import Request, check, requests

_SERVE = """
from catalog.web.endpoint_server import open_endpoint
with open_endpoint() as server:
    print(server.url, flush=True)
    server.serve_forever()
"""


def megabytes(pid: int) -> float:
    """Resident memory of a process."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


def threads(pid: int) -> int:
    return len(list(Path(f"/proc/{pid}/task").iterdir()))


def main(count: int) -> None:
    server = subprocess.Popen([sys.executable, "-c", _SERVE], stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    url = server.stdout.readline().strip()
    place = urlsplit(url)
    statuses: Counter[int] = Counter()
    memory: list[float] = []
    slowest = 0.0

    @settings(
        max_examples=count,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(request=requests)
    def send(request: Request) -> None:
        nonlocal slowest
        path, headers, body = request
        connection = http.client.HTTPConnection(place.hostname or "", place.port, timeout=10)
        began = time.monotonic()
        connection.request("POST", path, body, {"Content-Type": "application/x-amz-json-1.1", **headers})
        answer = connection.getresponse()
        check(answer.status, answer.read())
        connection.close()
        slowest = max(slowest, time.monotonic() - began)
        statuses[answer.status] += 1
        if sum(statuses.values()) % 1000 == 0:
            memory.append(megabytes(server.pid))
            print(f"{sum(statuses.values()):6d} requests, {memory[-1]:.0f} MB", flush=True)

    began = time.monotonic()
    try:
        send()
        seconds = time.monotonic() - began
        total = sum(statuses.values())
        print(f"{total} requests in {seconds:.0f} s; by status {dict(statuses)}; slowest {slowest:.2f} s")
        print(f"memory {memory[0]:.0f} MB after 1,000 requests, {memory[-1]:.0f} MB at the end; ", end="")
        print(f"threads at rest {threads(server.pid)}")
        assert memory[-1] < memory[0] + 30, "memory grew"
    finally:
        server.terminate()
        server.wait()


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 20_000)
