"""Rekognition client with rate limiting, call counting, retries and translated errors.

botocore's own retries are off: they ignore the shared rate limit and the spending limit, and their calls are not
counted. ``tests/benchmarks/quota.py`` measures both.
"""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from catalog.domain.call_log import CallLog
from catalog.domain.charges import Charge, Operation
from catalog.domain.errors import EngineError
from catalog.domain.photos import S3Address
from catalog.engines.rekognition.aws_errors import AwsErrorKind, code_of, sort, to_catalog_error
from catalog.engines.rekognition.budget import Budget
from catalog.engines.rekognition.pricing import Prices
from catalog.engines.rekognition.rate_limiter import RateLimiter
from catalog.engines.rekognition.response_check import UnreadableResponseError, request

log = logging.getLogger(__name__)

Answer = dict[str, Any]

_FREE = {
    "CreateCollection",
    "DescribeCollection",
    "ListFaces",
    "DeleteFaces",
    "ListUsers",
    "CreateUser",
    "DeleteUser",
}
"""Operations without a charge. :meth:`RekognitionClient.call` makes no other."""
_WITH_IMAGE = {"IndexFaces", "DetectFaces", "CompareFaces", "SearchFacesByImage", "SearchUsersByImage"}
_FIRST_WAIT = 0.2
_LONGEST_WAIT = 20.0
_ATTEMPTS_TO_REACH = 3
"""For an address that never responded, or with something else: it is more likely wrong than busy."""


@dataclass(frozen=True, slots=True)
class Connection:
    """Connection to Amazon. Empty texts stand for the user's AWS settings. Times in seconds."""

    region: str = ""
    profile: str = ""
    endpoint_url: str = ""
    connect_seconds: float = 10.0
    read_seconds: float = 120.0
    attempts: int = 10
    """Attempts of one call, including the first."""
    connections: int = 64
    """Most open connections, and so most calls at once."""


class RekognitionClient:
    """Calls operations by name. May be used from several threads at once."""

    def __init__(
        self,
        connection: Connection,
        *,
        limiter: RateLimiter,
        budget: Budget | None = None,
        prices: Prices,
        call_log: CallLog | None = None,
        sleep: Callable[[float], None] = time.sleep,
        chance: random.Random | None = None,
    ) -> None:
        """Without a ``budget`` spending has no limit. Without a ``call_log`` calls are sent without an intent.

        Raises EngineError where nothing can be called at all.
        """
        self._connection = connection
        self._limiter = limiter
        self._budget = budget
        self._prices = prices
        self._call_log = call_log
        self._sleep = sleep
        self._chance = chance or random.Random()  # noqa: S311 - jitter is no secret
        self._reached = False
        self._lock = threading.Lock()
        try:
            self._session = boto3.Session(profile_name=connection.profile or None)
            self._client = self._session.client(
                "rekognition",
                region_name=connection.region or None,
                endpoint_url=connection.endpoint_url or None,
                config=self._config(),
            )
        except (BotoCoreError, ValueError) as error:
            raise _translated(error, "anything", connection.region) from error
        self.region: str = self._client.meta.region_name

    @property
    def place(self) -> str:
        """The region, or the address if one is set: for messages."""
        return self._connection.endpoint_url or self.region

    def call(self, operation: str, **members: Any) -> Answer:
        """The response to one operation that is free of charge, such as ``ListFaces``.

        Raises EngineError, ClientError where the meaning of the refusal depends on the request (see
        :func:`_is_callers`), and ValueError for an operation that Amazon may charge for.
        """
        if operation not in _FREE:
            raise ValueError(f"{operation} may be charged: call_paid() counts it")
        return self._send(operation, None, None, "", members)[0]

    def probe(self, operation: str, **members: Any) -> Answer:
        """Try the permission for any operation with an invalid request, which Amazon refuses without a charge."""
        return self._send(operation, None, None, "", members)[0]

    def call_paid(
        self, operation: Operation, *, sha256: str = "", patience: int | None = None, **members: Any
    ) -> tuple[Answer, Charge]:
        """The response to a paid operation, with its charge.

        The charge includes earlier calls of the operation whose response was lost. ``sha256`` is the content hash of a
        photo to be enrolled. ``patience`` is the number of attempts for a face that cannot be searched yet. Raises as
        :meth:`call` does, and PhotoError for a photo that is refused, and LimitReached.
        """
        answer, intents = self._send(operation.value, operation, patience, sha256, members)
        return answer, self._prices.charge(operation, intents=intents)

    def _send(
        self, operation: str, paid: Operation | None, patience: int | None, sha256: str, members: dict[str, Any]
    ) -> tuple[Answer, tuple[int, ...]]:
        """The response, and the intent of a ``paid`` call, which is closed when its charge is recorded.

        A call that may have been billed without a response is a lost call, and the next attempt is another call: both
        are counted, and each has an intent. An attempt that was surely not billed is repeated with a new intent in
        place of the old one: the time of an intent is the time of its last attempt.
        """
        method = getattr(self._client, _snake(operation))
        intents: tuple[int, ...] = ()
        attempt = 0
        is_new_call = True
        while True:
            attempt += 1
            if paid is not None and is_new_call and self._budget is not None:
                self._budget.spend(paid)
            self._limiter.wait(operation)
            if paid is not None:
                self._discard(intents)
                intents = ()  # also if the next line raises: an intent is discarded once
                intents = self._begin(paid, sha256)
            try:
                answer: Answer = request(method, operation, members)
            except (ClientError, BotoCoreError, UnreadableResponseError) as error:
                trouble = sort(error)
                is_new_call = trouble is AwsErrorKind.LOST
                if paid is not None and is_new_call:
                    self._prices.lose(paid, intents)
                    intents = ()
                try:
                    self._after(trouble, operation, error, attempt, patience)
                except Exception:  # no further attempt; after Ctrl-C the intents stay and count as lost
                    self._discard(intents)
                    raise
            else:
                self._reached = True
                return answer, intents

    def _begin(self, operation: Operation, sha256: str) -> tuple[int, ...]:
        if self._call_log is None:
            return ()
        return (self._call_log.begin(self._prices.quote(operation, 1), sha256),)

    def _discard(self, intents: tuple[int, ...]) -> None:
        for intent in intents:
            if self._call_log is not None:
                self._call_log.discard(intent)

    def etag(self, address: S3Address) -> str:
        """The present ETag of an S3 object; empty if it cannot be read."""
        with self._lock:
            if not hasattr(self, "_s3"):
                self._s3 = self._session.client("s3", region_name=self.region, config=self._config())
        version = {"VersionId": address.version} if address.version else {}
        try:
            return str(self._s3.head_object(Bucket=address.bucket, Key=address.key, **version)["ETag"])
        except (ClientError, BotoCoreError):
            return ""

    def close(self) -> None:
        self._client.close()
        self._limiter.close()
        if self._call_log is not None:
            self._call_log.close()

    def _after(
        self, trouble: AwsErrorKind, operation: str, error: Exception, attempt: int, patience: int | None
    ) -> None:
        """Wait for the next attempt, or raise after the last."""
        self._reached = self._reached or bool(code_of(error))
        if trouble is AwsErrorKind.THROTTLED:
            self._limiter.throttled(operation)
        attempts = self._connection.attempts
        if isinstance(error, UnreadableResponseError) or (trouble is AwsErrorKind.UNREACHED and not self._reached):
            attempts = min(attempts, _ATTEMPTS_TO_REACH)
        if trouble is AwsErrorKind.NOT_THERE_YET:
            attempts = min(attempts, patience or 1)
        if trouble is AwsErrorKind.FINAL or attempt >= attempts:
            if _is_callers(operation, error):
                raise error
            raise _translated(error, operation, self.place) from error
        longest = min(_LONGEST_WAIT, _FIRST_WAIT * 2.0**attempt)
        # Full jitter: calls that failed together must not return together. A face that needs time waits at least half.
        shortest = longest / 2 if trouble is AwsErrorKind.NOT_THERE_YET else 0.0
        wait = self._chance.uniform(shortest, longest)
        log.debug("%s: attempt %d failed (%s); again in %.1f s.", operation, attempt, trouble.name, wait)
        self._sleep(wait)

    def _config(self) -> Config:
        return Config(
            retries={"mode": "standard", "total_max_attempts": 1},
            connect_timeout=self._connection.connect_seconds,
            read_timeout=self._connection.read_seconds,
            max_pool_connections=self._connection.connections,
            tcp_keepalive=True,
            user_agent_extra="catalog",
        )


_CALLERS = {
    "InvalidParameterException",
    "ResourceNotFoundException",
    "ResourceAlreadyExistsException",
    "ConflictException",
}


def _is_callers(operation: str, error: Exception) -> bool:
    """True for a refusal whose meaning depends on the request. For photos only those about faces."""
    code = code_of(error)
    if operation in {"IndexFaces", "DetectFaces"}:
        return code == "ResourceNotFoundException"
    return code in _CALLERS


def _translated(error: Exception, operation: str, place: str) -> Exception:
    if isinstance(error, ValueError) and not isinstance(error, BotoCoreError):
        return EngineError(f"The address of Amazon Rekognition cannot be used: {error}")
    return to_catalog_error(error, operation, place=place or "no region", with_image=operation in _WITH_IMAGE)


def _snake(operation: str) -> str:
    """The method name of boto3, such as ``search_faces_by_image``."""
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in operation).lstrip("_")
