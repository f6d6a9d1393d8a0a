"""Is the quota used, and not exceeded?

Run by hand::

    python -m tests.benchmarks.quota scan --tps 15      # catalog scan, real recognition, answers 0.4 s later
    python -m tests.benchmarks.quota scan --tps 5
    python -m tests.benchmarks.quota pool --tps 50      # limiter and worker pool alone, a server that only counts
    python -m tests.benchmarks.quota pool --tps 50 --processes 2
    python -m tests.benchmarks.quota pool --tps 15 --client botocore   # botocore's adaptive retries instead of ours

``scan`` needs ../shared/data/lfw or another folder after --photos. Prints the calls answered a second in steady state
(without the first ten seconds and the last one), the share of the quota that this is, the share of calls that were
throttled, and the largest memory of the client.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

from catalog.domain.charges import Operation
from catalog.endpoint.fault_injection import FaultPlan, Faults
from catalog.endpoint.service import Handler, Service
from catalog.engines.rekognition.client import Connection, RekognitionClient
from catalog.engines.rekognition.pricing import Prices, PriceTable, Tier
from catalog.engines.rekognition.quotas import Quotas
from catalog.engines.rekognition.rate_limiter import RateLimiter
from catalog.web.endpoint_server import EndpointServer, open_endpoint

LFW = Path(__file__).parents[3] / "shared" / "data" / "lfw" / "photos"
WARM_UP = 10.0
EMPTY: dict[str, Any] = {"FaceRecords": [], "UnindexedFaces": [], "FaceModelVersion": "1.0"}


class Watch:
    """When each call of IndexFaces was answered, and how large the processes watched became."""

    def __init__(self) -> None:
        self.times: list[float] = []
        self.megabytes = 0.0

    def around(self, handler: Handler) -> Handler:
        def answer(call: Any) -> Any:
            members = handler(call)
            self.times.append(time.monotonic())
            return members

        return answer

    def watch(self, pids: Callable[[], list[int]], done: threading.Event) -> None:
        while not done.wait(0.5):
            self.megabytes = max(self.megabytes, sum(map(resident, pids())))

    def tell(self, service: Service, tps: float) -> None:
        throttled = service.tally["IndexFaces", "ProvisionedThroughputExceededException"]
        calls = sum(count for (operation, _), count in service.tally.items() if operation == "IndexFaces")
        steady = [t for t in self.times if self.times[0] + WARM_UP <= t <= self.times[-1] - 1.0]
        seconds = steady[-1] - steady[0]
        rate = (len(steady) - 1) / seconds
        print(
            f"quota {tps:g}/s: {rate:.2f} calls/s over {seconds:.0f} s of steady state = {rate / tps:.1%} of it; "
            f"{throttled} of {calls} calls throttled = {throttled / calls:.2%}; memory {self.megabytes:.0f} MB"
        )


def resident(pid: int) -> float:
    """Memory of a process in MB, shared pages counted in full; 0 for one that ended."""
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6
    except (OSError, IndexError):
        return 0.0


def family(pid: int) -> list[int]:
    """A process and all below it."""
    pids = [pid]
    for process_id in pids:
        try:
            children = Path(f"/proc/{process_id}/task/{process_id}/children").read_text().split()
        except OSError:
            continue
        pids += map(int, children)
    return pids


def scan(options: argparse.Namespace) -> None:
    watch, plan = Watch(), FaultPlan(tps=options.tps, latency=options.latency)
    with open_endpoint(plan=plan) as server, tempfile.TemporaryDirectory() as home:
        handlers = server.service._handlers
        handlers["IndexFaces"] = watch.around(handlers["IndexFaces"])
        environment = {
            **os.environ,
            "HOME": home,
            "XDG_STATE_HOME": home,
            "AWS_ACCESS_KEY_ID": "a",
            "AWS_SECRET_ACCESS_KEY": "b",
            "CATALOG_ENGINE_NAME": "rekognition",
            "CATALOG_REKOGNITION_REGION": "us-east-1",
            "CATALOG_REKOGNITION_CALLS_PER_SECOND": str(options.tps),
            "CATALOG_DATABASE_URL": f"{home}/catalog.sqlite3",
        }
        with server.in_background() as url:
            environment["CATALOG_REKOGNITION_ENDPOINT_URL"] = url
            limit = str(int(options.seconds * options.tps))
            command = [sys.executable, "-m", "catalog.cli.main", "scan", str(options.photos), "--limit", limit]
            process = subprocess.Popen(command, env=environment)
            done = threading.Event()
            threading.Thread(target=watch.watch, args=(lambda: family(process.pid), done), daemon=True).start()
            process.wait()
            done.set()
        watch.tell(server.service, options.tps)


def pool(options: argparse.Namespace) -> None:
    watch = Watch()
    handlers = {"IndexFaces": watch.around(lambda _: EMPTY)}
    faults = Faults(FaultPlan(tps=options.tps, latency=options.latency))
    server = EndpointServer(Service(handlers, faults=faults))
    with server.in_background() as url, tempfile.TemporaryDirectory() as folder:
        clients = [
            multiprocessing.get_context("spawn").Process(target=keep_calling, args=(url, folder, options))
            for _ in range(options.processes)
        ]
        for client in clients:
            client.start()
        done = threading.Event()
        pids = [client.pid for client in clients if client.pid]
        threading.Thread(target=watch.watch, args=(lambda: pids, done), daemon=True).start()
        for client in clients:
            client.join()
        done.set()
        watch.tell(server.service, options.tps)


def keep_calling(url: str, folder: str, options: argparse.Namespace) -> None:
    """As many workers as the latency needs, and some to spare, calling as fast as they may."""
    os.environ |= {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b"}
    workers = int(options.tps * options.latency * 2 / options.processes) + 4
    end = time.monotonic() + options.seconds
    members = {"CollectionId": "c", "Image": {"Bytes": b"x" * 100_000}, "ExternalImageId": "0" * 64}
    if options.client == "botocore":
        config = Config(retries={"mode": "adaptive", "total_max_attempts": 10}, max_pool_connections=workers)
        call = boto3.client("rekognition", region_name="us-east-1", endpoint_url=url, config=config).index_faces
    else:
        client = RekognitionClient(
            Connection(region="us-east-1", endpoint_url=url, connections=workers),
            limiter=RateLimiter(Quotas(override=options.tps), Path(folder)),
            prices=Prices(PriceTable([Tier(None, Decimal(0))], [Tier(None, Decimal(0))])),
        )

        def call(**request: Any) -> Any:
            return client.call_paid(Operation.INDEX_FACES, **request)

    def work(_: int) -> None:
        while time.monotonic() < end:
            call(**members)

    with ThreadPoolExecutor(workers) as threads:
        list(threads.map(work, range(workers)))


def main() -> None:
    parser = argparse.ArgumentParser(description="Is the quota used, and not exceeded?")
    parser.add_argument("what", choices=["scan", "pool"])
    parser.add_argument("--tps", type=float, default=15)
    parser.add_argument("--latency", type=float, default=0.4)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--client", choices=["ours", "botocore"], default="ours")
    parser.add_argument("--photos", type=Path, default=LFW)
    options = parser.parse_args()
    (scan if options.what == "scan" else pool)(options)


if __name__ == "__main__":
    main()
