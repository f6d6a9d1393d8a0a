"""One pace for all workers: even, shared between threads and processes, and slower after throttling."""

from __future__ import annotations

import subprocess
import sys
import threading
import time

import pytest

from catalog.engines.rekognition.quotas import Quotas, quotas_of
from catalog.engines.rekognition.rate_limiter import RateLimiter, SharedRateLimit


class Clock:
    def __init__(self, now=1000.0):
        self.now = now

    def __call__(self):
        return self.now


def test_slots_lie_evenly_apart(tmp_path):
    """Ten a second: a tenth of a second from slot to slot, the first at once."""
    pace = SharedRateLimit(tmp_path / "pace", Clock())
    assert [round(pace.book(10), 6) for _ in range(4)] == [0.0, 0.1, 0.2, 0.3]
    pace.close()


def test_time_that_passed_unused_is_lost(tmp_path):
    """There are no bursts after a pause."""
    clock = Clock()
    pace = SharedRateLimit(tmp_path / "pace", clock)
    pace.book(10)
    clock.now += 60
    assert [round(pace.book(10), 6) for _ in range(2)] == [0.0, 0.1]
    pace.close()


def test_the_pace_is_kept_in_the_file(tmp_path):
    """A second opener, as in another process, gets the next slot."""
    clock = Clock()
    first, second = (SharedRateLimit(tmp_path / "pace", clock) for _ in range(2))
    assert [first.book(10), round(second.book(10), 6), round(first.book(10), 6)] == [0.0, 0.1, 0.2]
    first.close()
    second.close()


@pytest.mark.parametrize("later", [-900.0, -1e9])
def test_a_slot_from_before_a_restart_is_forgotten(tmp_path, later):
    """The monotonic clock begins anew, the file does not."""
    clock = Clock(2e9)
    pace = SharedRateLimit(tmp_path / "pace", clock)
    pace.book(10)
    clock.now += later
    assert pace.book(10) == 0.0
    pace.close()


def test_a_damaged_file_is_begun_anew(tmp_path):
    """Half a record is none."""
    (tmp_path / "pace").write_bytes(b"half")
    pace = SharedRateLimit(tmp_path / "pace", Clock())
    assert pace.book(10) == 0.0
    pace.close()


def interval(pace, clock, rate):
    """Seconds from one slot to the next."""
    clock.now += pace.book(rate)
    return pace.book(rate)


def test_a_first_refusal_slows_down_a_little(tmp_path):
    """By a twentieth, for some twenty seconds: it is more often a hiccup than a smaller quota."""
    clock = Clock()
    pace = SharedRateLimit(tmp_path / "pace", clock)
    pace.slow_down(10)
    assert interval(pace, clock, 10) == pytest.approx(1 / 9.5, rel=0.01)
    clock.now += 21
    assert interval(pace, clock, 10) == pytest.approx(0.1, rel=0.01)
    pace.close()


def test_a_second_refusal_slows_down_for_good_and_the_pace_climbs_back(tmp_path):
    """Below the pace that was too fast at once, at it after a minute, at the full rate some time later."""
    clock = Clock()
    pace = SharedRateLimit(tmp_path / "pace", clock)
    pace.slow_down(10)
    clock.now += 30
    pace.slow_down(10)
    assert interval(pace, clock, 10) == pytest.approx(1 / 8.5, rel=0.02)
    clock.now += 30
    assert interval(pace, clock, 10) == pytest.approx(1 / 9.25, rel=0.02)
    clock.now += 31
    assert interval(pace, clock, 10) == pytest.approx(0.1, rel=0.02)
    pace.close()


def test_refusals_of_one_moment_count_once(tmp_path):
    """A call that was under way at the old rate is no evidence about the new rate."""
    clock = Clock()
    pace = SharedRateLimit(tmp_path / "pace", clock)
    for _ in range(20):
        pace.slow_down(10)
    assert interval(pace, clock, 10) == pytest.approx(1 / 9.5, rel=0.01)
    pace.close()


def test_a_quota_that_is_a_tenth_of_what_was_thought_is_found(tmp_path):
    """With 50 configured and 5 allowed, under one call in a hundred is refused once the pace is found."""
    clock = Clock()
    pace = SharedRateLimit(tmp_path / "pace", clock)
    tokens, filled = 5.0, clock.now
    refused = calls = 0
    while clock.now < 1000 + 1800:
        clock.now += pace.book(50)
        tokens = min(5.0, tokens + (clock.now - filled) * 5)
        filled = clock.now
        late = clock.now > 1000 + 120
        calls += late
        if tokens < 1:
            refused += late
            pace.slow_down(50)
        else:
            tokens -= 1
    assert refused / calls < 0.01
    assert (calls - refused) / (1680 * 5) > 0.85
    pace.close()


def test_threads_share_one_limiter(tmp_path):
    """Eight threads, forty calls, two hundred a second: a fifth of a second."""
    limiter = RateLimiter(Quotas(override=200, headroom=1), tmp_path / "folder")
    began = time.monotonic()

    def work():
        for _ in range(5):
            limiter.wait("IndexFaces")

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert time.monotonic() - began >= 39 / 200
    limiter.close()


def test_processes_share_one_folder(tmp_path):
    """Two processes of fifteen calls each at twenty a second need a second and a half together."""
    code = (
        "import sys, time; from pathlib import Path\n"
        "from catalog.engines.rekognition.rate_limiter import RateLimiter\n"
        "from catalog.engines.rekognition.quotas import Quotas\n"
        "limiter = RateLimiter(Quotas(override=20, headroom=1), Path(sys.argv[1]))\n"
        "began = time.monotonic()\n"
        "for _ in range(15): limiter.wait('IndexFaces')\n"
        "print(began, time.monotonic())\n"
    )
    processes = [
        subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    spans = [tuple(map(float, process.communicate()[0].split())) for process in processes]
    assert max(end for _, end in spans) - min(start for start, _ in spans) >= 29 / 20 - 0.01


def test_operations_do_not_wait_for_one_another(tmp_path):
    """Each has a quota of its own."""
    slept = []
    limiter = RateLimiter(Quotas(override=1, headroom=1), tmp_path, clock=Clock(), sleep=slept.append)
    for operation in ("IndexFaces", "SearchFaces", "ListFaces"):
        limiter.wait(operation)
    assert slept == []
    limiter.close()


TABLES = {"large_regions": ["us-east-1"], "large": {"IndexFaces": 50}, "other_quotas": {"DetectFaces": 25}}


@pytest.mark.parametrize(
    ("region", "operation", "rate"),
    [
        ("us-east-1", "IndexFaces", 50),
        ("us-east-1", "CreateUser", 5),
        ("eu-central-1", "IndexFaces", 5),
        ("eu-central-1", "DetectFaces", 25),
    ],
)
def test_quotas_are_those_of_the_region(region, operation, rate):
    """From the table, and five where it says nothing."""
    assert quotas_of(region, **TABLES, headroom=1).rate(operation) == rate


def test_a_setting_overrides_the_table_and_headroom_is_left():
    """Seven a second, of which nine tenths are used."""
    assert quotas_of("us-east-1", **TABLES, override=7, headroom=0.9).rate("IndexFaces") == pytest.approx(6.3)
