"""A photo that crashes, hangs or bloats its decoder costs only itself."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from catalog.domain.errors import CatalogError, PhotoError
from catalog.domain.opened_photo import Opener
from catalog.images import decoder_pool
from catalog.images.decode import DecodeLimits, open_image
from catalog.images.decoder_pool import DecoderPool
from tests.images.painting import noise, quarters, written
from tests.warm_decoders import StartedWorker

FIXTURES = Path(__file__).parent / "fixtures"
PHOTO = written(quarters(), "PNG")

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")


@pytest.fixture(autouse=True)
def _own_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each pool of this module starts its processes and ends them."""
    monkeypatch.setattr(decoder_pool, "_Worker", StartedWorker)


@pytest.fixture(name="slow_photo", scope="session")
def _slow_photo() -> bytes:
    """64 million pixels, which take a while and some 200 MB to become RGB."""
    return written(Image.new("1", (8000, 8000)), "PNG")


@pytest.fixture(name="pool")
def _pool() -> Iterator[DecoderPool]:
    pool = DecoderPool(1)
    yield pool
    pool.close()


EARLIER: set[int] = set()
"""Decoders that other tests of this process have started and not yet ended."""


@pytest.fixture(autouse=True)
def _earlier_decoders() -> None:
    EARLIER.clear()
    EARLIER.update(workers())


def workers(parent: int | None = None) -> list[int]:
    """Process ids of the decoders that a process has started, this one by default."""
    descriptors = []
    for path in Path("/proc").glob("[0-9]*"):
        try:
            fields = (path / "stat").read_text().rpartition(")")[2].split()
            if (
                int(fields[1]) == (parent or os.getpid())
                and b"catalog.images.decoder_process" in (path / "cmdline").read_bytes()
            ):
                descriptors.append(int(path.name))
        except (FileNotFoundError, ProcessLookupError):
            continue  # ended meanwhile
    return [pid for pid in descriptors if pid not in EARLIER]


def wait_until_busy(pid: int) -> None:
    """Until a worker has taken more memory than it has without the slow photo."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        if int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGESIZE") > 80 << 20:
            return
        time.sleep(0.002)


def kill_workers(times: int, number: signal.Signals) -> None:
    """One worker after the other, each in the midst of its photo."""
    killed: set[int] = set()
    while len(killed) < times:
        for pid in set(workers()) - killed:
            wait_until_busy(pid)
            os.kill(pid, number)
            killed.add(pid)
        time.sleep(0.01)


def is_ended(pid: int, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
                return True
        except FileNotFoundError:
            return True
        time.sleep(0.02)
    return False


@pytest.mark.parametrize("max_side", [None, 50])
def test_it_opens_what_this_process_would_open(pool: Opener, max_side: int | None) -> None:
    """Pixels, sizes, metadata and bytes are the same in this process and in the pool."""
    for data in ((FIXTURES / "turned.heic").read_bytes(), written(noise(301, 199), "JPEG"), PHOTO):
        local, pooled = open_image(data, max_side=max_side), pool.open(data, max_side)
        assert np.array_equal(local.pixels, pooled.pixels)
        assert pooled.pixels.flags.c_contiguous
        assert [getattr(local, name) for name in ("width", "height", "format", "orientation", "metadata", "data")] == [
            getattr(pooled, name) for name in ("width", "height", "format", "orientation", "metadata", "data")
        ]


def test_a_broken_photo_has_the_same_sentence(pool: Opener) -> None:
    """And the worker lives on."""
    pool.open(PHOTO)
    before = workers()
    for data in (b"", b"text", PHOTO[:100]):
        with pytest.raises(PhotoError) as local:
            open_image(data)
        with pytest.raises(PhotoError) as pooled:
            pool.open(data)
        assert str(pooled.value) == str(local.value)
    assert workers() == before


def test_a_photo_that_takes_too_long_is_given_up(slow_photo: bytes) -> None:
    """The next one opens as if nothing had been."""
    pool = DecoderPool(1, DecodeLimits(seconds=1))
    pool.open(PHOTO)
    (pid,) = workers()
    os.kill(pid, signal.SIGSTOP)  # a decoder that hangs
    with pytest.raises(PhotoError, match=r"^The photo took longer to decode than the limit of 1 seconds.$"):
        pool.open(slow_photo)
    assert is_ended(pid, 2)
    assert pool.open(PHOTO).pixels.shape == (64, 96, 3)
    pool.close()


def test_a_photo_that_takes_too_much_memory_is_given_up(slow_photo: bytes) -> None:
    """Without harm to its neighbors."""
    pool = DecoderPool(1, DecodeLimits(memory_bytes=100 << 20))
    with pytest.raises(PhotoError, match="more memory to decode than the limit allows"):
        pool.open(slow_photo)
    assert pool.open(PHOTO).pixels.shape == (64, 96, 3)
    pool.close()


@pytest.mark.parametrize(
    ("number", "sentence"),
    [
        (signal.SIGSEGV, r"^The photo crashed its decoder \(Segmentation fault\)\.$"),
        (signal.SIGKILL, r"^The photo's decoder was killed by the system, probably for lack of memory\.$"),
    ],
)
def test_a_photo_that_crashes_its_decoder_costs_only_itself(
    pool: Opener, slow_photo: bytes, number: signal.Signals, sentence: str
) -> None:
    """The sentence says how it ended, and a new worker opens the next photo."""
    pool.open(PHOTO)
    first = workers()
    killer = threading.Thread(target=kill_workers, args=(2, number))
    killer.start()
    with pytest.raises(PhotoError, match=sentence):
        pool.open(slow_photo)
    killer.join()
    assert pool.open(PHOTO).pixels.shape == (64, 96, 3)
    assert set(first).isdisjoint(workers())


def test_a_file_that_really_crashes_its_decoder_costs_only_itself(pool: Opener) -> None:
    """838 bytes that end libheif; a newer one may refuse them instead."""
    with pytest.raises(PhotoError, match=r"^The photo crashed its decoder|^The HEIF photo is (damaged|cut short)"):
        pool.open((FIXTURES / "crash.heic").read_bytes())
    assert pool.open(PHOTO).pixels.shape == (64, 96, 3)


def test_a_photo_whose_decoder_died_once_is_tried_again(pool: Opener, slow_photo: bytes) -> None:
    """When memory is short, the system may kill the decoder of a photo that did nothing wrong."""
    pool.open(PHOTO)
    killer = threading.Thread(target=kill_workers, args=(1, signal.SIGKILL))
    killer.start()
    assert pool.open(slow_photo, 100).pixels.shape == (100, 100, 3)
    killer.join()


def test_a_worker_that_died_between_two_photos_costs_none(pool: Opener) -> None:
    """It is replaced before the next is handed out."""
    pool.open(PHOTO)
    (pid,) = workers()
    os.kill(pid, signal.SIGKILL)
    assert is_ended(pid, 2)
    assert pool.open(PHOTO).pixels.shape == (64, 96, 3)


def test_an_answer_that_nobody_waited_for_is_not_given_to_the_next_photo(
    pool: DecoderPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C between question and answer costs the worker, not the truth."""
    pool.open(PHOTO)
    receive = socket.recv_fds

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(socket, "recv_fds", interrupted)
    with pytest.raises(KeyboardInterrupt):
        pool.open(written(noise(7, 5), "PNG"))
    monkeypatch.setattr(socket, "recv_fds", receive)
    assert pool.open(PHOTO).pixels.shape == (64, 96, 3)


def test_workers_do_not_know_the_keys(pool: Opener, monkeypatch: pytest.MonkeyPatch) -> None:
    """The decoder process has no credentials and no database address in its environment."""
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret-of-aws")
    monkeypatch.setenv("CATALOG_DATABASE_URL", "postgresql://secret")
    pool.open(PHOTO)
    (pid,) = workers()
    assert b"secret" not in Path(f"/proc/{pid}/environ").read_bytes()


def test_a_worker_that_cannot_start_is_no_fault_of_the_photo(monkeypatch: pytest.MonkeyPatch) -> None:
    """A broken installation ends the scan, instead of failing every photo."""
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with pytest.raises(CatalogError, match="could not be started") as caught:
        DecoderPool(1).open(PHOTO)
    assert not isinstance(caught.value, PhotoError)
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    with pytest.raises(CatalogError, match="cannot be started"):
        DecoderPool(1).open(PHOTO)


def test_many_threads_share_the_workers(slow_photo: bytes) -> None:
    """Each gets its own photo back, and no more processes are started than allowed."""
    pool = DecoderPool(2)
    pictures = [written(noise(40 + seed, 30, seed), "PNG") for seed in range(24)]
    with ThreadPoolExecutor(6) as threads:
        photos = list(threads.map(pool.open, pictures))
        assert len(workers()) <= 2
    for data, photo in zip(pictures, photos, strict=True):
        assert np.array_equal(photo.pixels, open_image(data).pixels)
    pool.close()
    assert workers() == []


def test_pixels_outlive_the_pool() -> None:
    """They belong to the photo, not to the worker."""
    pool = DecoderPool(1)
    photo = pool.open(PHOTO)
    pool.close()
    assert np.array_equal(photo.pixels, open_image(PHOTO).pixels)


def test_a_closed_pool_opens_nothing() -> None:
    """A closed pool does not start again."""
    pool = DecoderPool(1)
    pool.close()
    with pytest.raises(RuntimeError, match="closed"):
        pool.open(PHOTO)


def test_nothing_is_left_behind_by_photos() -> None:
    """No open file and no shared memory is left after photos that open, fail and crash."""
    pool = DecoderPool(1, DecodeLimits(seconds=5))
    pool.open(PHOTO)

    def open_files() -> int:
        return len(list(Path("/proc/self/fd").iterdir()))

    def shared_memory() -> list[Path]:
        # Other test processes start and stop PostgreSQL servers meanwhile.
        return sorted(path for path in Path("/dev/shm").iterdir() if not path.name.startswith("PostgreSQL."))

    files, shared = open_files(), shared_memory()
    for _ in range(20):
        pool.open(PHOTO)
        with pytest.raises(PhotoError):
            pool.open(PHOTO[:100])
    os.kill(workers()[0], signal.SIGKILL)
    pool.open(PHOTO)
    assert open_files() == files
    assert shared_memory() == shared
    pool.close()
    assert open_files() == files - 1


@pytest.mark.parametrize("busy", [False, True])
def test_workers_do_not_outlive_a_process_that_is_killed(tmp_path: Path, slow_photo: bytes, busy: bool) -> None:
    """After kill -9 of the parent, idle decoder processes end at once and busy ones after their photo."""
    photo = tmp_path / "photo.png"
    photo.write_bytes(slow_photo if busy else PHOTO)
    program = (
        "import sys, time; from pathlib import Path; from catalog.images.decoder_pool import DecoderPool\n"
        "pool = DecoderPool(1); pool.open(Path(sys.argv[1]).read_bytes(), 100); print('ready', flush=True)\n"
        "while True: pool.open(Path(sys.argv[1]).read_bytes(), 100) if sys.argv[2] == 'True' else time.sleep(1)\n"
    )
    with subprocess.Popen([sys.executable, "-c", program, photo, str(busy)], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        (pid,) = workers(process.pid)
        process.kill()
    assert is_ended(pid, 15)


def test_a_signal_to_the_whole_group_leaves_the_photo_in_work_whole(pool: Opener) -> None:
    """Ctrl-C reaches workers too; what is in flight is finished for the process that was asked to stop."""
    pool.open(PHOTO)
    (pid,) = workers()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        os.kill(pid, number)
    assert pool.open(PHOTO).pixels.shape == (64, 96, 3)
    assert workers() == [pid]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_while_a_worker_starts_does_not_end_it(monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    """A scan that is interrupted in its first second waits for its decoders. It ends as every interrupted scan."""
    start = subprocess.Popen

    def start_and_signal(*arguments: object, **options: object) -> subprocess.Popen[bytes]:
        process = start(*arguments, **options)  # type: ignore[call-overload]
        os.kill(process.pid, number)
        return process

    monkeypatch.setattr(subprocess, "Popen", start_and_signal)
    pool = DecoderPool(1)
    try:
        assert pool.open(PHOTO).pixels.shape == (64, 96, 3)
    finally:
        pool.close()
