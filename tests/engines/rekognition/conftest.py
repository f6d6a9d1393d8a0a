"""A real endpoint for the Rekognition engine to talk to, with real faces."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from catalog.domain.call_log import CallLog
from catalog.domain.faces import QualityFilter
from catalog.domain.opened_photo import OpenedPhoto
from catalog.engines.rekognition.budget import Budget
from catalog.engines.rekognition.client import Connection, RekognitionClient
from catalog.engines.rekognition.engine import RekognitionEngine
from catalog.engines.rekognition.pricing import Prices, PriceTable, Tier
from catalog.engines.rekognition.quotas import Quotas
from catalog.engines.rekognition.rate_limiter import RateLimiter
from catalog.images.decode import open_image
from catalog.web.endpoint_server import open_endpoint

TABLE = PriceTable(
    [Tier(1_000_000, Decimal("0.001")), Tier(None, Decimal("0.0008"))],
    [Tier(None, Decimal("0.001"))],
)
UNHURRIED = Quotas(override=10_000.0)

_numbers = itertools.count()


@pytest.fixture(scope="session")
def rekognition_url() -> Iterator[str]:
    """The address of an endpoint without faults."""
    with open_endpoint() as server, server.in_background() as url:
        yield url


@pytest.fixture
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    """Made-up ones, as a user would set them."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDTEST")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")


@pytest.fixture
def open_rekognition(credentials: None, rekognition_url: str, tmp_path: Path) -> Callable[..., RekognitionEngine]:
    """Opens engines on one new collection; keywords of engine, connection, quotas and budget can be given."""
    collection = f"catalog-{next(_numbers)}"

    def open_one(
        url: str = rekognition_url,
        *,
        quotas: Quotas = UNHURRIED,
        budget: Budget | None = None,
        connection: dict[str, Any] | None = None,
        call_log: CallLog | None = None,
        **options: Any,
    ) -> RekognitionEngine:
        prices = Prices(TABLE)
        client = RekognitionClient(
            Connection(region="us-east-1", endpoint_url=url, **(connection or {})),
            limiter=RateLimiter(quotas, tmp_path / "pace"),
            budget=budget,
            prices=prices,
            call_log=call_log,
            sleep=lambda seconds: time.sleep(seconds / 10),
        )
        options = {"collection": collection, "quality_filter": QualityFilter.NONE, "reopen": open_image_at} | options
        return RekognitionEngine(client, prices, **options)

    return open_one


def open_image_at(data: bytes, max_side: int) -> OpenedPhoto:
    return open_image(data, max_side=max_side)
