"""Decoding in processes of their own, so that a photo which crashes, hangs or bloats its decoder costs only itself."""

from __future__ import annotations

import contextlib
import json
import mmap
import os
import queue
import signal
import socket
import subprocess
import sys
import time
from typing import Any

import numpy as np
from numpy.typing import NDArray

from catalog.domain.errors import CatalogError, PhotoError
from catalog.domain.opened_photo import OpenedPhoto
from catalog.images.decode import DEFAULT_LIMITS, DecodeLimits
from catalog.images.decoder_process import READY, REPLY, REQUEST, photo_of

_MAX_REPLY = 1 << 20
_START = 60
"""Seconds within which a worker must be ready."""
_MAX_PHOTOS = 20_000
"""A worker is replaced after so many photos, so that no leak of any decoder can add up."""


class _Died(Exception):
    """The worker ended before it answered; ``sentence`` tells how."""

    def __init__(self, sentence: str = "") -> None:
        super().__init__(sentence)
        self.sentence = sentence


class DecoderPool:
    """Opens photos in ``workers`` processes, which are started when first needed and replaced when they die."""

    def __init__(self, workers: int, limits: DecodeLimits = DEFAULT_LIMITS) -> None:
        self._limits = limits
        self._idle: queue.LifoQueue[_Worker | None] = queue.LifoQueue()
        self._workers = workers
        self._closed = False
        for _ in range(workers):
            self._idle.put(None)

    def open(self, data: bytes, max_side: int | None = None) -> OpenedPhoto:
        """Decode a photo; waits while all workers are busy. Raises ``PhotoError``."""
        try:
            return self._try(data, max_side)
        except _Died:
            pass  # perhaps for its neighbor's sins: the system kills whom it likes when memory is short
        try:
            return self._try(data, max_side)
        except _Died as death:
            raise PhotoError(death.sentence) from death

    def _try(self, data: bytes, max_side: int | None) -> OpenedPhoto:
        worker = self._idle.get()
        try:
            if self._closed:
                raise RuntimeError("this pool of decoders is closed")
            if worker is not None and (worker.is_dead() or worker.photos >= _MAX_PHOTOS):
                worker.end()
                worker = None
            if worker is None:
                worker = _Worker(self._limits)
            return worker.open(data, max_side)
        finally:
            if worker is not None and (worker.is_dead() or self._closed):
                worker.end()
                worker = None
            self._idle.put(worker)

    def close(self) -> None:
        """End all workers; those that are at a photo end when it is done, or when its time is up."""
        self._closed = True
        for _ in range(self._workers):
            worker = self._idle.get()
            if worker is not None:
                worker.end()
        for _ in range(self._workers):
            self._idle.put(None)


class _Worker:
    """One process and the socket to it; used by one thread at a time."""

    def __init__(self, limits: DecodeLimits) -> None:
        self.photos = 0
        self._seconds = limits.seconds
        self._dead = False
        self._is_asked = False
        """From a question to its answer: who is interrupted in between must not take it for that to the next."""
        self._channel, far = socket.socketpair()
        arguments = [str(far.fileno()), str(limits.max_pixels), str(limits.seconds), str(limits.memory_bytes)]
        with far:
            try:
                self._process = subprocess.Popen(  # noqa: S603 - our own code, by our own interpreter
                    # -P: a folder named catalog where the user happens to stand is not that code
                    [sys.executable, "-P", "-m", "catalog.images.decoder_process", *arguments],
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    pass_fds=[far.fileno()],
                    env=_environment(),
                )
            except OSError as error:
                self._channel.close()
                raise CatalogError(f"A decoder process cannot be started: {error}.") from error
        self._wait_until_ready()

    def _wait_until_ready(self) -> None:
        """What ends before it has seen a photo is not the photo's fault."""
        self._channel.settimeout(_START)
        try:
            if self._channel.recv(len(READY)) == READY:
                return
        except TimeoutError:
            pass
        self._dead = True
        sentence = self._obituary()
        self.end()
        if self._process.returncode == -signal.SIGKILL:
            raise _Died(sentence)
        raise CatalogError("A decoder process could not be started.")

    def is_dead(self) -> bool:
        return self._dead or self._is_asked or self._process.poll() is not None

    def end(self) -> None:
        """Close the socket, at which a living worker leaves; one that does not is killed."""
        self._channel.close()
        if self._dead or self._is_asked:
            self._process.kill()
        try:
            self._process.wait(1)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def open(self, data: bytes, max_side: int | None) -> OpenedPhoto:
        self.photos += 1
        pixels = -1
        try:
            told, pixels = self._ask(data, max_side)
            if "error" in told:
                raise PhotoError(str(told["error"]), remedy=str(told["remedy"]))
            return photo_of(told, _map(pixels, *told["shape"]), data)
        except TimeoutError as error:
            self._dead = True
            raise PhotoError(f"The photo took longer to decode than the limit of {self._seconds:g} seconds.") from error
        except (_Died, BrokenPipeError, ConnectionResetError) as error:
            self._dead = True
            raise _Died(self._obituary()) from error
        except (KeyError, TypeError, ValueError) as error:
            self._dead = True
            raise PhotoError("The photo's decoder gave an answer that makes no sense.") from error
        finally:
            if pixels >= 0:
                os.close(pixels)

    def _ask(self, data: bytes, max_side: int | None) -> tuple[dict[str, Any], int]:
        self._is_asked = True
        until = time.monotonic() + self._seconds
        self._channel.settimeout(self._seconds)
        head = REQUEST.pack(max_side or 0, len(data))
        sent = self._channel.sendmsg([head, data])
        if sent < len(head) + len(data):
            self._channel.sendall(memoryview(data)[sent - len(head) :])
        descriptors: list[int] = []
        received = bytearray()
        try:
            size = REPLY.size
            while len(received) < size:
                self._channel.settimeout(max(until - time.monotonic(), 0.001))
                part, more, _, _ = socket.recv_fds(self._channel, 1 << 16, 1)
                descriptors += more
                received += part
                if not part:
                    raise _Died
                if len(received) >= REPLY.size:
                    size = REPLY.size + REPLY.unpack_from(received)[0]
                    if size > _MAX_REPLY:
                        raise ValueError(size)
            told = json.loads(received[REPLY.size :])
            if not isinstance(told, dict):
                raise TypeError(told)
            self._is_asked = False
        except BaseException:  # whatever ended it, Ctrl-C too: the pixels' descriptors are ours to close
            for descriptor in descriptors:
                os.close(descriptor)
            raise
        return told, descriptors[0] if descriptors else -1

    def _obituary(self) -> str:
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(1)
        code = self._process.returncode
        if code is not None and -code == signal.SIGKILL:
            return "The photo's decoder was killed by the system, probably for lack of memory."
        if code is not None and code < 0:
            return f"The photo crashed its decoder ({signal.strsignal(-code)})."
        return "The photo ended its decoder."


def _environment() -> dict[str, str]:
    """Our own, without what a photo that takes over its decoder had better not read."""
    secrets = ("AWS_", "CATALOG_", "PG")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(secrets)}
    return kept | {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}


def _map(pixels: int, rows: int, columns: int) -> NDArray[np.uint8]:
    """Pixels in a file, as an array that keeps the file in memory for as long as it lives itself."""
    size = rows * columns * 3
    if size < 1 or os.fstat(pixels).st_size != size:
        raise ValueError(f"{rows} x {columns} pixels do not fit into the file that came with them")
    flags = mmap.MAP_SHARED | getattr(mmap, "MAP_POPULATE", 0)
    shared = mmap.mmap(pixels, size, flags=flags, prot=mmap.PROT_READ)
    return np.frombuffer(shared, dtype=np.uint8).reshape(rows, columns, 3)
