"""Intents of paid calls: written in groups before the call, closed by the charge."""

from __future__ import annotations

import random
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from types import SimpleNamespace

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, ReadTimeoutError
from sqlalchemy import event
from sqlalchemy.exc import DBAPIError

from catalog.app.database_call_log import DatabaseCallLog
from catalog.domain.charges import Charge, Operation
from catalog.domain.errors import EngineError, PhotoError
from catalog.engines.rekognition.client import Connection, RekognitionClient
from catalog.engines.rekognition.pricing import Prices, PriceTable, Tier
from catalog.store.charges import UNANSWERED, charges_since
from catalog.store.gallery_info import calls_this_month
from catalog.store.scans import record_charges

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
PRICE = Charge(Operation.INDEX_FACES, 1, Decimal("0.001"))


def open_log(database, *, now=NOW, slept=None, gallery="catalog"):
    return DatabaseCallLog(
        database,
        engine="paid",
        gallery=gallery,
        region="eu-west-1",
        clock=lambda: now,
        sleep=(slept if slept is not None else []).append,
    )


def record(database, charge):
    with database.begin() as connection:
        record_charges(connection, [charge], engine="paid", region="", command="scan", scan_id=None, now=NOW)


def month(database):
    with database.read() as connection:
        return calls_this_month(connection, "paid", NOW)


def by_command(database):
    with database.read() as connection:
        return {total.command: total.calls for total in charges_since(connection, NOW - timedelta(days=19))}


def test_an_intent_counts_until_its_charge_is_recorded(database):
    """Each call is counted once: as an intent, then as a charge. The price tier sees both."""
    log = open_log(database)
    intent = log.begin(PRICE, "ab" * 32)
    log.begin(PRICE, "cd" * 32)
    assert by_command(database) == {UNANSWERED: 2}
    assert month(database) == {Operation.INDEX_FACES: 2}
    record(database, Charge(Operation.INDEX_FACES, 1, Decimal("0.001"), (intent,)))
    assert by_command(database) == {UNANSWERED: 1, "scan": 1}
    assert month(database) == {Operation.INDEX_FACES: 2}


def test_a_call_that_was_not_billed_leaves_no_intent(database):
    """It is deleted with the next group, or at the end."""
    log = open_log(database)
    log.discard(log.begin(PRICE))
    log.close()
    assert by_command(database) == {}


def test_the_next_command_knows_the_contents_without_an_answer(database):
    """Those of its gallery. It can wait until the service has finished a call that was sent just before the kill."""
    open_log(database).begin(PRICE, "ab" * 32)
    open_log(database, gallery="other").begin(PRICE, "cd" * 32)
    slept = []
    log = open_log(database, now=NOW + timedelta(seconds=1), slept=slept)
    assert log.unanswered() == {"ab" * 32}
    assert slept == []  # a command that enrolls nothing does not wait
    log.wait_for_service()
    assert slept == [2.0]
    slept.clear()
    log = open_log(database, now=NOW + timedelta(hours=1), slept=slept)
    log.wait_for_service()
    assert log.unanswered() == {"ab" * 32}
    assert slept == []


def test_the_next_command_knows_answers_without_a_face(database):
    """The answer goes with the intent. Another gallery does not know it."""
    log = open_log(database)
    intents = [log.begin(PRICE, f"{number:064x}") for number in range(2)]
    log.record_empty_answer(intents[0], "[]")
    later = open_log(database)
    assert later.unanswered() == {f"{number:064x}" for number in range(2)}
    assert later.empty_answers() == {f"{0:064x}": "[]"}
    assert open_log(database, gallery="other").empty_answers() == {}
    record(database, Charge(Operation.INDEX_FACES, 1, Decimal("0.001"), tuple(intents)))
    assert open_log(database).empty_answers() == {}


def test_intents_of_several_threads_share_a_transaction(database):
    """Every thread's intent is committed when its call begins; the commits are fewer than the calls."""
    log, commits, start = open_log(database), [], threading.Barrier(16)
    event.listen(database.engine, "commit", lambda _: commits.append(1))

    def work(number):
        start.wait()
        intents = [log.begin(PRICE, f"{number:064x}") for _ in range(4)]
        with database.read() as connection:
            remaining = connection.exec_driver_sql("SELECT id FROM call_intents").scalars().all()
        assert set(intents) <= set(remaining)
        return intents

    with ThreadPoolExecutor(16) as pool:
        intents = [intent for part in pool.map(work, range(16)) for intent in part]
    assert len(set(intents)) == 64
    assert by_command(database) == {UNANSWERED: 64}
    assert len(commits) < 64


def test_no_call_is_sent_without_its_intent(database):
    """A database that cannot be written to ends the call before it is sent."""
    log = open_log(database)
    with database.begin() as connection:
        connection.exec_driver_sql("DROP TABLE call_intents")
    with pytest.raises(DBAPIError):
        log.begin(PRICE)


class UnsureWire:
    """Stands for Amazon: answers, throttles, refuses connections and loses responses. Counts what may be billed.

    At each call that may be billed, ``logged`` must not be below the count: a kill may come at this instant.
    """

    def __init__(self, logged):
        self.billed, self.shortages = 0, []
        self._logged = logged
        self._lock, self._chance = threading.Lock(), random.Random(1)

    def index_faces(self, **_):
        with self._lock:
            kind = self._chance.choice(["answer", "answer", "lose", "throttle", "refuse"])
            is_billed = kind in {"answer", "lose"}
            self.billed += is_billed
            billed = self.billed
        if is_billed and (logged := self._logged()) < billed:
            self.shortages.append((logged, billed))
        if kind == "lose":
            raise ReadTimeoutError(endpoint_url="x")
        if kind == "throttle":
            raise ClientError({"Error": {"Code": "ThrottlingException", "Message": ""}}, "IndexFaces")
        if kind == "refuse":
            raise EndpointConnectionError(endpoint_url="x")
        return {"FaceRecords": []}


def test_the_log_holds_every_call_when_it_is_sent(database, monkeypatch):
    """Also calls that are repeated, given up, or recorded with the charge of another one."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "a")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "b")
    prices = Prices(PriceTable([Tier(None, Decimal("0.001"))], []), clock=lambda: NOW)
    limiter = SimpleNamespace(wait=lambda _: None, throttled=lambda _: None, close=lambda: None)
    client = RekognitionClient(
        Connection(region="eu-west-1", attempts=3),
        limiter=limiter,
        prices=prices,
        call_log=open_log(database),
        sleep=lambda _: None,
    )
    client._client.close()
    wire = client._client = UnsureWire(lambda: sum(by_command(database).values()))

    def work(number):
        for _ in range(10):
            with suppress(EngineError, PhotoError):
                _, charge = client.call_paid(Operation.INDEX_FACES, sha256=f"{number:064x}")
                if number % 2:  # the others end without a record, as in a kill
                    record(database, charge)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(8)))
    assert wire.shortages == []
    client._call_log.close()
    assert sum(by_command(database).values()) == wire.billed


def test_an_attempt_after_throttling_has_a_new_time(database, monkeypatch):
    """A command that is killed after the wait sent its call now, not before the wait. There is one intent all along."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "a")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "b")
    clock = [NOW]
    log = DatabaseCallLog(database, engine="paid", gallery="catalog", region="", clock=lambda: clock[0])
    seen = []

    def index_faces(**_):
        with database.read() as connection:
            seen.append(connection.exec_driver_sql("SELECT started_at, sha256 FROM call_intents").all())
        if len(seen) < 3:
            raise ClientError({"Error": {"Code": "ThrottlingException", "Message": ""}}, "IndexFaces")
        return {"FaceRecords": []}

    def sleep(_seconds):
        clock[0] += timedelta(seconds=10)

    client = RekognitionClient(
        Connection(region="eu-west-1"),
        limiter=SimpleNamespace(wait=lambda _: None, throttled=lambda _: None, close=lambda: None),
        prices=Prices(PriceTable([Tier(None, Decimal("0.001"))], []), clock=lambda: NOW),
        call_log=log,
        sleep=sleep,
    )
    client._client.close()
    client._client = SimpleNamespace(index_faces=index_faces)
    _, charge = client.call_paid(Operation.INDEX_FACES, sha256="ab" * 32)
    assert seen == [[(f"2026-11-20T12:00:{second}.000000Z", "ab" * 32)] for second in ("00", "10", "20")]
    record(database, charge)
    client._call_log.close()
    assert by_command(database) == {"scan": 1}
