"""Places are given in the order in which they were asked for, and to no more than there are."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from catalog.endpoint.fair_semaphore import FairSemaphore


def test_who_waits_is_not_overtaken():
    """A thread that gives its place back and asks again at once comes after those that waited."""
    places = FairSemaphore(1)
    order: list[str] = []
    waiting = threading.Event()

    def waits() -> None:
        waiting.set()
        with places:
            order.append("waited")

    with places:
        thread = threading.Thread(target=waits)
        thread.start()
        waiting.wait()
        while not places._waiting:
            time.sleep(0.001)
    with places:
        order.append("came back")
    thread.join()
    assert order == ["waited", "came back"]


def test_no_more_than_there_are_places():
    """Forty turns of eight threads on three places: never four at a time, and in the end all three are free."""
    places = FairSemaphore(3)
    lock = threading.Lock()
    inside, most = 0, 0

    def turn(_: int) -> None:
        nonlocal inside, most
        with places:
            with lock:
                inside += 1
                most = max(most, inside)
            time.sleep(0.002)
            with lock:
                inside -= 1

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(turn, range(40)))
    assert most == 3
    assert places._free == 3


def test_a_failure_gives_its_place_back():
    """Whatever is raised inside goes on its way."""
    places = FairSemaphore(1)
    with pytest.raises(ValueError, match="inside"), places:
        raise ValueError("inside")
    with places:
        pass
