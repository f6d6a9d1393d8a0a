"""Decoder processes that serve one test after the other. Starting one takes half a second of processor time."""

from __future__ import annotations

from collections import defaultdict
from threading import Lock

from catalog.images import decoder_pool
from catalog.images.decode import DecodeLimits

StartedWorker = decoder_pool._Worker
"""The class that starts a process each time, for the tests of the pool itself."""

_PHOTOS = 500
"""Photos after which a process is ended, so that a leak of a decoder cannot add up over the tests."""


class WarmDecoders:
    """Keeps the processes of closed pools for the next pool with the same limits. A process that failed is ended."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._idle: defaultdict[DecodeLimits, list[WarmWorker]] = defaultdict(list)

    def worker(self, limits: DecodeLimits) -> WarmWorker:
        """A process with these limits: an idle one, or a new one."""
        while True:
            with self._lock:
                if not self._idle[limits]:
                    break
                worker = self._idle[limits].pop()
            if not worker.is_dead():
                return worker
            StartedWorker.end(worker)
        return WarmWorker(self, limits)

    def keep(self, worker: WarmWorker) -> None:
        with self._lock:
            self._idle[worker.limits].append(worker)

    def close(self) -> None:
        for workers in self._idle.values():
            for worker in workers:
                StartedWorker.end(worker)
        self._idle.clear()


class WarmWorker(StartedWorker):
    """A process that a pool returns instead of ending it."""

    def __init__(self, decoders: WarmDecoders, limits: DecodeLimits) -> None:
        self.limits = limits
        self._decoders = decoders
        super().__init__(limits)

    def end(self) -> None:
        if self.is_dead() or self.photos >= _PHOTOS:
            super().end()
        else:
            self._decoders.keep(self)
