"""The Rekognition endpoint as an ASGI application: middleware around :class:`catalog.endpoint.service.Service`."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from catalog.endpoint import protocol
from catalog.endpoint.errors import ConnectionDropped, WireError
from catalog.endpoint.protocol import WireResponse
from catalog.endpoint.service import Service
from catalog.web.connection import RESET
from catalog.web.host_check import RefuseForeignPages
from catalog.web.injected_faults import InjectFaults
from catalog.web.limits import ServerLimits
from catalog.web.receipt import ReceiveBody
from catalog.web.turns import ServeInOrder


def endpoint_app(
    service: Service, executor: ThreadPoolExecutor, *, limits: ServerLimits, hosts: Collection[str] = ()
) -> Starlette:
    """The application. ``executor`` runs the operations; ``hosts`` are allowed names beside localhost."""
    middleware = [
        Middleware(CountResponses, count=service.count),
        Middleware(RefuseForeignPages, hosts=hosts, refusal=refusal),
        Middleware(ReceiveBody, limits=limits, refusal=refusal, check=_head_check(service)),
        Middleware(InjectFaults, faults=lambda: service.faults, operation_of=operation_of, failure=failure),
        Middleware(ServeInOrder, requests=limits.requests),
    ]
    return Starlette(routes=[Mount("", app=Answers(service, executor))], middleware=middleware)


class CountResponses:
    """Middleware that names every request and counts its response by operation and error code."""

    def __init__(self, app: ASGIApp, *, count: Callable[[str, str], None]) -> None:
        self._app = app
        self._count = count

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        state = scope.setdefault("state", {})
        state["request_id"] = str(uuid.uuid4())
        reset = scope["extensions"][RESET]

        # Counted before the client can see the response, so that a client's count and the tally agree.
        async def send_counted(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._count(operation_of(scope), state.get("error", _CODES.get(message["status"], "BadRequest")))
                message["headers"].append((b"x-amzn-requestid", state["request_id"].encode()))
            await send(message)

        def reset_counted() -> None:
            self._count(operation_of(scope), ConnectionDropped.__name__)
            reset()

        scope["extensions"][RESET] = reset_counted
        await self._app(scope, receive, send_counted)


class Answers:
    """Answers each request in a thread of the executor."""

    def __init__(self, service: Service, executor: ThreadPoolExecutor) -> None:
        self._service = service
        self._executor = executor

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        try:
            answer = await asyncio.get_running_loop().run_in_executor(
                self._executor,
                self._service.answer,
                request.method,
                scope["path"],
                dict(request.headers),
                await request.body(),
                scope["state"]["request_id"],
            )
        except ConnectionDropped:
            scope["extensions"][RESET]()
            return
        await _response(scope, answer)(scope, receive, send)


def operation_of(scope: Scope) -> str:
    """The served operation that a request names, or an empty string."""
    try:
        name: str = protocol.operation_of(scope["method"], scope["path"], _headers(scope)).name
    except WireError:
        return ""
    return name


def failure(scope: Scope, error: WireError) -> Response:
    return _response(scope, protocol.failure(error, scope["state"]["request_id"]))


def refusal(status: int, message: str) -> Response:
    """A refusal of the server, in the form of Amazon's errors."""
    content_type, body = error_body(status, message)
    return Response(body, status, media_type=content_type)


def error_body(status: int, message: str) -> tuple[str, bytes]:
    """Content type and body of a refusal."""
    error = WireError(_CODES.get(status, "BadRequest"), message, status=status)
    return protocol.CONTENT_TYPE, protocol.failure(error, str(uuid.uuid4())).body


_CODES = {
    403: "AccessDeniedException",
    408: "RequestTimeoutException",
    411: "MissingContentLength",
    413: "RequestEntityTooLargeException",
    421: "AccessDeniedException",
}


def _response(scope: Scope, answer: WireResponse) -> Response:
    scope["state"]["error"] = answer.error
    return Response(answer.body, answer.status, media_type=protocol.CONTENT_TYPE)


def _head_check(service: Service) -> Callable[[Scope], Response | None]:
    def check(scope: Scope) -> Response | None:
        try:
            service.check_head(scope["method"], scope["path"], _headers(scope))
        except WireError as error:
            return failure(scope, error)
        return None

    return check


def _headers(scope: Scope) -> dict[str, str]:
    return {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
