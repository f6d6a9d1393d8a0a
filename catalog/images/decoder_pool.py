"""A pool of decoder processes. A photo that crashes, blocks or exhausts a decoder affects no other photo."""

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
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from catalog.domain.errors import CatalogError, PhotoError
from catalog.domain.opened_photo import OpenedPhoto
from catalog.images.decode import DEFAULT_LIMITS, DecodeLimits
from catalog.images.decoder_process import INTERRUPTIONS, READY, REPLY, REQUEST, photo_of

_MAX_REPLY = 1 << 20
_START = 60
"""Seconds within which a decoder process must be ready."""
_MAX_PHOTOS = 20_000
"""Photos after which a process is replaced, so that memory leaks of decoders do not add up."""


class _Died(Exception):
    """The process ended before it responded. ``sentence`` says how."""

    def __init__(self, sentence: str = "") -> None:
        super().__init__(sentence)
        self.sentence = sentence


class DecoderPool:
    """Opens photos in ``workers`` processes, which are started when needed and replaced when they end."""

    def __init__(self, workers: int, limits: DecodeLimits = DEFAULT_LIMITS) -> None:
        self._limits = limits
        self._idle: queue.LifoQueue[_Worker | None] = queue.LifoQueue()
        self._workers = workers
        self._closed = False
        for _ in range(workers):
            self._idle.put(None)

    def open(self, data: bytes, max_side: int | None = None) -> OpenedPhoto:
        """Decode a photo. Waits while all processes are busy. Raises ``PhotoError``."""
        try:
            return self._try(data, max_side)
        except _Died:
            pass  # the cause may be another photo: the system kills any process when memory is short
        try:
            return self._try(data, max_side)
        except _Died as error:
            raise PhotoError(error.sentence) from error

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
        """End all processes. A busy one ends when its photo is done, or its time limit is reached."""
        self._closed = True
        for _ in range(self._workers):
            worker = self._idle.get()
            if worker is not None:
                worker.end()
        for _ in range(self._workers):
            self._idle.put(None)


class _Worker:
    """One decoder process and the socket to it. Used by one thread at a time."""

    def __init__(self, limits: DecodeLimits) -> None:
        self.photos = 0
        self._seconds = limits.seconds
        self._dead = False
        self._is_busy = False
        """A response is outstanding. After an interruption it must not be read as that to the next request."""
        self._channel, remote = socket.socketpair()
        arguments = [str(remote.fileno()), str(limits.max_pixels), str(limits.seconds), str(limits.memory_bytes)]
        with remote, _interruptions_blocked():
            try:
                self._process = subprocess.Popen(  # noqa: S603 - our own code, by our own interpreter
                    # -P: a folder named catalog in the current folder is not imported
                    [sys.executable, "-P", "-m", "catalog.images.decoder_process", *arguments],
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    pass_fds=[remote.fileno()],
                    env=_environment(),
                )
            except OSError as error:
                self._channel.close()
                raise CatalogError(f"A decoder process cannot be started: {error}.") from error
        self._wait_until_ready()

    def _wait_until_ready(self) -> None:
        """Raise unless the process starts. No photo is the cause."""
        self._channel.settimeout(_START)
        try:
            if self._channel.recv(len(READY)) == READY:
                return
        except TimeoutError:
            pass
        self._dead = True
        sentence = self._exit_sentence()
        self.end()
        if self._process.returncode == -signal.SIGKILL:
            raise _Died(sentence)
        raise CatalogError("A decoder process could not be started.")

    def is_dead(self) -> bool:
        return self._dead or self._is_busy or self._process.poll() is not None

    def end(self) -> None:
        """Close the socket, at which the process ends. One that does not end is killed."""
        self._channel.close()
        if self._dead or self._is_busy:
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
            response, pixels = self._request(data, max_side)
            if "error" in response:
                raise PhotoError(str(response["error"]), remedy=str(response["remedy"]))
            return photo_of(response, _map(pixels, *response["shape"]), data)
        except TimeoutError as error:
            self._dead = True
            raise PhotoError(f"The photo took longer to decode than the limit of {self._seconds:g} seconds.") from error
        except (_Died, BrokenPipeError, ConnectionResetError) as error:
            self._dead = True
            raise _Died(self._exit_sentence()) from error
        except (KeyError, TypeError, ValueError) as error:
            self._dead = True
            raise PhotoError("The decoder process returned an invalid response.") from error
        finally:
            if pixels >= 0:
                os.close(pixels)

    def _request(self, data: bytes, max_side: int | None) -> tuple[dict[str, Any], int]:
        self._is_busy = True
        deadline = time.monotonic() + self._seconds
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
                self._channel.settimeout(max(deadline - time.monotonic(), 0.001))
                part, received_fds, _, _ = socket.recv_fds(self._channel, 1 << 16, 1)
                descriptors += received_fds
                received += part
                if not part:
                    raise _Died
                if len(received) >= REPLY.size:
                    size = REPLY.size + REPLY.unpack_from(received)[0]
                    if size > _MAX_REPLY:
                        raise ValueError(size)
            response = json.loads(received[REPLY.size :])
            if not isinstance(response, dict):
                raise TypeError(response)
            self._is_busy = False
        except BaseException:  # descriptors must be closed even on KeyboardInterrupt
            for descriptor in descriptors:
                os.close(descriptor)
            raise
        return response, descriptors[0] if descriptors else -1

    def _exit_sentence(self) -> str:
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(1)
        code = self._process.returncode
        if code is not None and -code == signal.SIGKILL:
            return "The photo's decoder was killed by the system, probably for lack of memory."
        if code is not None and code < 0:
            return f"The photo crashed its decoder ({signal.strsignal(-code)})."
        return "The photo ended its decoder process."


@contextlib.contextmanager
def _interruptions_blocked() -> Iterator[None]:
    """Block the signals of an interruption in this thread.

    A process started meanwhile begins with them blocked. Otherwise a signal to the whole group would end it while it
    imports its modules. The parent process receives the signal afterwards.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, INTERRUPTIONS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _environment() -> dict[str, str]:
    """The environment without credentials, which a photo that takes over its decoder must not read."""
    secrets = ("AWS_", "CATALOG_", "PG")
    public = {name: value for name, value in os.environ.items() if not name.startswith(secrets)}
    return public | {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}


def _map(pixels: int, rows: int, columns: int) -> NDArray[np.uint8]:
    """Map the pixels in a file to an array. The file stays in memory as long as the array."""
    size = rows * columns * 3
    if size < 1 or os.fstat(pixels).st_size != size:
        raise ValueError(f"{rows} x {columns} pixels do not have the size of the received file")
    flags = mmap.MAP_SHARED | getattr(mmap, "MAP_POPULATE", 0)
    shared = mmap.mmap(pixels, size, flags=flags, prot=mmap.PROT_READ)
    return np.frombuffer(shared, dtype=np.uint8).reshape(rows, columns, 3)
