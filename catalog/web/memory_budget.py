"""Memory that requests in progress share, granted in the order in which they asked."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncIterator


class MemoryBudget:
    """Grants shares of ``total`` bytes, first in, first out. Belongs to one event loop."""

    def __init__(self, total: int) -> None:
        self._total = total
        self._available = total
        self._waiting: deque[tuple[int, asyncio.Future[None]]] = deque()

    @contextlib.asynccontextmanager
    async def reserve(self, size: int) -> AsyncIterator[None]:
        """Hold ``size`` bytes, at most the total; waits until they are available."""
        size = min(size, self._total)
        await self._acquire(size)
        try:
            yield
        finally:
            self._release(size)

    async def _acquire(self, size: int) -> None:
        if not self._waiting and size <= self._available:
            self._available -= size
            return
        granted: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((size, granted))
        try:
            await granted
        except asyncio.CancelledError:
            if granted.cancelled():
                self._grant()  # the next may fit now
            else:
                self._release(size)
            raise

    def _release(self, size: int) -> None:
        self._available += size
        self._grant()

    def _grant(self) -> None:
        while self._waiting:
            size, granted = self._waiting[0]
            if not granted.cancelled():
                if size > self._available:
                    return
                self._available -= size
                granted.set_result(None)
            self._waiting.popleft()
