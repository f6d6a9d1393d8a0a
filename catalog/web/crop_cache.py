"""Crops and images of the review in memory: the least recently used are dropped, and nothing is written to disk."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future

from catalog.web.limits import MEBIBYTE

Key = tuple[str, int]


class CropCache:
    """Keeps at most ``capacity`` bytes. Equal requests in progress are computed once. Several threads may call it."""

    def __init__(self, capacity: int = 64 * MEBIBYTE) -> None:
        self._capacity = capacity
        self._size = 0
        self._lock = threading.Lock()
        self._images: OrderedDict[Key, bytes] = OrderedDict()
        self._running: dict[Key, Future[bytes]] = {}

    def get(self, key: Key, make: Callable[[], bytes]) -> bytes:
        """The image of a key, computed by ``make`` if it is not kept. Raises what ``make`` raises."""
        with self._lock:
            image = self._images.get(key)
            if image is not None:
                self._images.move_to_end(key)
                return image
            running = self._running.get(key)
            if running is None:
                own: Future[bytes] = Future()
                self._running[key] = own
        if running is not None:
            return running.result()
        try:
            image = make()
        except BaseException as error:  # the threads that wait for this image must not wait for ever
            with self._lock:
                del self._running[key]
            own.set_exception(error)
            raise
        with self._lock:
            del self._running[key]
            self._keep(key, image)
        own.set_result(image)
        return image

    def _keep(self, key: Key, image: bytes) -> None:
        self._images[key] = image
        self._size += len(image)
        while self._size > self._capacity:
            _, dropped = self._images.popitem(last=False)
            self._size -= len(dropped)
