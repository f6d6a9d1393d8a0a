"""The semaphore admits waiting threads in order, and never more threads than it has permits."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from catalog.endpoint.fair_semaphore import FairSemaphore


def test_a_waiting_thread_is_not_overtaken():
    """A thread that releases its permit and asks again at once is admitted after the waiting thread."""
    semaphore = FairSemaphore(1)
    order: list[str] = []
    waiting = threading.Event()

    def wait_for_permit() -> None:
        waiting.set()
        with semaphore:
            order.append("waited")

    with semaphore:
        thread = threading.Thread(target=wait_for_permit)
        thread.start()
        waiting.wait()
        while not semaphore._waiting:
            time.sleep(0.001)
    with semaphore:
        order.append("came back")
    thread.join()
    assert order == ["waited", "came back"]


def test_no_more_threads_than_permits_are_admitted():
    """Eight threads enter forty times with three permits. At most three are inside, and all permits are released."""
    semaphore = FairSemaphore(3)
    lock = threading.Lock()
    inside, maximum = 0, 0

    def enter(_: int) -> None:
        nonlocal inside, maximum
        with semaphore:
            with lock:
                inside += 1
                maximum = max(maximum, inside)
            time.sleep(0.002)
            with lock:
                inside -= 1

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(enter, range(40)))
    assert maximum == 3
    assert semaphore._permits == 3


def test_an_exception_releases_the_permit():
    """The exception is raised to the caller."""
    semaphore = FairSemaphore(1)
    with pytest.raises(ValueError, match="inside"), semaphore:
        raise ValueError("inside")
    with semaphore:
        pass
