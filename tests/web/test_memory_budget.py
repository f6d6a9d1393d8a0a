"""Shares of memory are granted in order."""

from __future__ import annotations

import asyncio

import pytest

from catalog.web.memory_budget import MemoryBudget


def test_shares_are_granted_in_order():
    """A small share does not overtake a large one, so that the large one is not delayed without end."""

    async def main():
        budget, order = MemoryBudget(10), []

        async def take(name, size):
            async with budget.reserve(size):
                order.append(name)
                await asyncio.sleep(0)

        async with budget.reserve(8):
            tasks = [asyncio.create_task(take(name, size)) for name, size in (("large", 9), ("small", 1))]
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            assert order == []
        await asyncio.gather(*tasks)
        return order

    assert asyncio.run(main()) == ["large", "small"]


def test_a_share_above_the_total_gets_the_total():
    """It waits until everything is available."""

    async def main():
        async with MemoryBudget(10).reserve(1000):
            return True

    assert asyncio.run(main())


def test_a_cancelled_wait_gives_its_turn_to_the_next():
    """Also if the share was granted in the same moment."""

    async def main():
        budget = MemoryBudget(10)

        async def take():
            async with budget.reserve(10):
                await asyncio.sleep(0)

        async with budget.reserve(10):
            cancelled, waiting = asyncio.create_task(take()), asyncio.create_task(take())
            await asyncio.sleep(0)
            cancelled.cancel()
        await waiting
        with pytest.raises(asyncio.CancelledError):
            await cancelled
        async with asyncio.timeout(1), budget.reserve(10):
            return True

    assert asyncio.run(main())
