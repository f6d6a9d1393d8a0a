"""Workers, scheduler or coordinator die, or do not fit: nothing is lost, and the same command continues."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing, suppress
from pathlib import Path

import pytest

import catalog
from catalog.distributed import tasks
from catalog.distributed.cluster import DaskCluster
from catalog.domain.errors import DatabaseError, EngineError, SourceError


@pytest.fixture(name="alone", scope="module")
def _alone(scan, rows, many, tmp_path_factory):
    """The rows of a scan in one process."""
    database = str(tmp_path_factory.mktemp("alone") / "catalog.sqlite3")
    scan(database, many)
    return rows(database)


def test_killed_workers_lose_nothing(start_cluster, scan, rows, many, alone, tmp_path):
    """Both workers are killed in mid-scan. They are replaced, and their chunks run again."""
    processes = start_cluster(2)
    killed = []

    def kill(_outcome):
        if not killed:
            killed.extend(processes.worker_ids)
            for process in killed:
                os.kill(process, signal.SIGKILL)

    database = str(tmp_path / "catalog.sqlite3")
    with DaskCluster(processes.address, None, wait_seconds=60) as cluster:
        outcomes = scan(database, many, cluster, on_outcome=kill)
    assert len(killed) == 2
    assert len(outcomes) == 24
    assert rows(database) == alone
    assert not set(killed) & set(processes.worker_ids)


def test_a_worker_that_ends_while_it_is_checked_is_left_out(start_cluster, tmp_path, monkeypatch):
    """Its remedy is not another installation: the scan goes on with the other one."""
    end_one = f"""
import os
try:
    os.close(os.open({str(tmp_path / "first")!r}, os.O_CREAT | os.O_EXCL))
except FileExistsError:
    pass
else:
    os._exit(1)
"""
    monkeypatch.setattr(tasks, "check", exec)
    with DaskCluster(start_cluster(2).address, None, wait_seconds=60, least_threads=2) as cluster:
        assert [*cluster.check(end_one).values()] == [None]


def test_a_killed_scheduler_ends_the_scan_with_a_sentence(start_cluster, scan, rows, many, alone, tmp_path):
    """Exit code 5; finished photos are recorded, and the same command completes the scan on a new cluster."""
    processes = start_cluster(1)
    database = str(tmp_path / "catalog.sqlite3")

    def kill(_outcome):
        if processes.scheduler_id is not None:
            os.kill(processes.scheduler_id, signal.SIGKILL)

    with (
        DaskCluster(processes.address, None, wait_seconds=2) as cluster,
        pytest.raises(EngineError, match="cannot be reached any more") as raised,
    ):
        scan(database, many, cluster, on_outcome=kill)
    assert raised.value.exit_code == 5
    with closing(sqlite3.connect(database)) as connection:
        (recorded,) = connection.execute("SELECT count(*) FROM photos").fetchone()
    assert 0 < recorded < 24
    with DaskCluster(start_cluster(1).address, None, wait_seconds=60) as cluster:
        scan(database, many, cluster)
    assert rows(database) == alone


def test_a_worker_whose_scheduler_was_killed_ends_without_a_message(tmp_path):
    """It used to abort at the end, because a thread still read its standard input."""
    with (tmp_path / "errors").open("wb") as errors:
        nodes = [sys.executable, "-m", "catalog.distributed.node"]
        options = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": errors}
        with subprocess.Popen([*nodes, "scheduler", "--host", "127.0.0.1"], **options) as scheduler:
            address = scheduler.stdout.readline().decode().strip()
            with subprocess.Popen([*nodes, "worker", "--scheduler", address], **options) as worker:
                assert worker.stdout.readline()
                scheduler.kill()
                try:
                    assert worker.wait(90) == 0
                finally:
                    worker.kill()
    assert (tmp_path / "errors").read_text() == ""


def test_a_cluster_without_workers_is_not_waited_for_forever(start_cluster):
    """The sentence names the cluster and the time."""
    processes = start_cluster(0)
    with pytest.raises(EngineError, match="has had no worker for 1 seconds"):
        DaskCluster(processes.address, None, wait_seconds=1)


@pytest.fixture(name="command")
def _command(many, tmp_path):
    """Starts ``catalog scan many --cluster local:2``. Stops the workers at its first recorded photo.

    Workers that went on could finish the photos before a test does anything. Gives the process and its children.
    """
    database = tmp_path / "catalog.sqlite3"
    started, nodes = [], []

    def start():
        arguments = ["scan", str(many), "--cluster", "local:2", "--database", str(database)]
        started.append(
            subprocess.Popen(
                [sys.executable, "-m", "catalog.cli.main", *arguments], stderr=subprocess.PIPE, stdout=subprocess.PIPE
            )
        )
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline and started[-1].poll() is None:
            if len(workers_among(nodes)) < 2:
                nodes[:] = children(started[-1].pid)
            elif database.exists():
                with closing(sqlite3.connect(database)) as connection:
                    tables = connection.execute("SELECT count(*) FROM sqlite_master WHERE name = 'photos'").fetchone()
                    if tables[0] and connection.execute("SELECT count(*) FROM photos").fetchone()[0]:
                        break
            time.sleep(0.02)
        for worker in workers_among(nodes):
            os.kill(worker, signal.SIGSTOP)
        return started[-1], nodes

    yield start
    for node in nodes:
        with suppress(ProcessLookupError):
            os.kill(node, signal.SIGKILL)
    for process in started:
        process.kill()
        process.communicate()


def children(pid):
    """Process ids of the direct children."""
    listed = subprocess.run(["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True, check=False)
    return [int(line) for line in listed.stdout.split()]


def workers_among(pids):
    """Those of the processes that compute faces, as far as they live."""
    workers = []
    for pid in pids:
        with suppress(FileNotFoundError):
            if b"worker" in Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0"):
                workers.append(pid)
    return workers


@pytest.mark.parametrize(("number", "code"), [(signal.SIGKILL, -9), (signal.SIGINT, 130)])
def test_a_coordinator_that_ends_leaves_no_process(command, scan, rows, many, alone, tmp_path, number, code):
    """After a kill or Ctrl-C its workers end, and the same scan continues."""
    process, nodes = command()
    assert len(nodes) >= 3
    process.send_signal(number)
    process.wait(timeout=60)
    for worker in workers_among(nodes):
        with suppress(ProcessLookupError):
            os.kill(worker, signal.SIGCONT)
    _, errors = process.communicate(timeout=60)  # the nodes have its stderr
    assert process.returncode == code, errors
    # On a fast machine all photos are recorded at once: then the steps after them are interrupted.
    assert (b"catalog: Interrupted. Finished " in errors) == (code == 130)
    deadline = time.monotonic() + 30
    while any(os.path.exists(f"/proc/{node}") for node in nodes) and time.monotonic() < deadline:  # noqa: PTH110
        time.sleep(0.1)
    assert not any(os.path.exists(f"/proc/{node}") for node in nodes)  # noqa: PTH110
    database = str(tmp_path / "catalog.sqlite3")
    scan(database, many)
    assert rows(database) == alone


def test_a_worker_of_another_release_is_refused(start_cluster, scan, photos, tmp_path, monkeypatch):
    """Both releases are in the sentence, and nothing is read."""
    scheduler = start_cluster(0)
    other = tmp_path / "other"
    other.mkdir()
    (other / "sitecustomize.py").write_text(
        "import importlib.metadata as metadata\n"
        "version = metadata.version\n"
        "metadata.version = lambda name: '0.0.7' if name == 'face-catalog' else version(name)\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(other))
    start_cluster(1, join=scheduler.address)
    with (
        DaskCluster(scheduler.address, None, wait_seconds=60) as cluster,
        pytest.raises(EngineError, match=rf"runs catalog 0\.0\.7, and this machine runs catalog {catalog.__version__}"),
    ):
        scan(str(tmp_path / "catalog.sqlite3"), photos, cluster)


def test_a_worker_whose_clock_is_wrong_takes_part(start_cluster, scan, rows, many, alone, tmp_path, monkeypatch):
    """Its clock is a day and a half ahead of those of scheduler and coordinator."""
    scheduler = start_cluster(0)
    other = tmp_path / "other"
    other.mkdir()
    (other / "sitecustomize.py").write_text("import time\nnow = time.time\ntime.time = lambda: now() + 130_000\n")
    monkeypatch.setenv("PYTHONPATH", str(other))
    start_cluster(1, join=scheduler.address)
    monkeypatch.undo()
    database = str(tmp_path / "catalog.sqlite3")
    with DaskCluster(scheduler.address, None, wait_seconds=60) as cluster:
        scan(database, many, cluster)
    assert rows(database) == alone


def test_a_database_that_closes_every_connection_loses_nothing(
    cluster, scan, rows, many, alone, postgresql, postgresql_url
):
    """As a restart of PostgreSQL does. The scan goes on, or ends with a sentence and the same command completes it."""
    terminations = []
    name = postgresql_url.rpartition("/postgres:@/")[2].partition("?")[0]

    def terminate(_outcome):
        if len(terminations) < 3:
            query = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = %s"
            terminations.extend(postgresql.run(query, name))

    for _ in range(5):
        with suppress(DatabaseError):
            scan(postgresql_url, many, cluster, on_outcome=terminate)
            break
    else:
        pytest.fail("the scan is not whole after five runs")
    assert [count for (count,) in terminations] != [0, 0, 0]
    assert rows(postgresql_url) == alone


def test_a_source_that_a_worker_cannot_read_is_said(cluster, scan, photos, tmp_path, monkeypatch):
    """Two processes see different folders at one path, as with a mount that only one machine has."""
    monkeypatch.chdir(photos.parent)
    with pytest.raises(SourceError, match=r'worker "tls://.*" cannot read the source .*does not exist'):
        scan(str(tmp_path / "catalog.sqlite3"), "/proc/self/cwd/photos", cluster)


def test_a_source_with_another_content_is_said(start_cluster, scan, photos, tmp_path, monkeypatch):
    """A worker that sees another file at the address of a photo is refused."""
    other = tmp_path / "elsewhere"
    (other / "photos").mkdir(parents=True)
    (other / "photos" / "astronaut.jpg").write_bytes(b"another file")
    monkeypatch.chdir(other)
    processes = start_cluster(1)
    monkeypatch.chdir(photos.parent)
    with (
        DaskCluster(processes.address, None, wait_seconds=60) as connected,
        pytest.raises(SourceError, match="has another content there"),
    ):
        scan(str(tmp_path / "catalog.sqlite3"), "/proc/self/cwd/photos", connected)
