"""Middleware that applies the faults of a :class:`FaultPlan`: delays, errors, lost responses and resets."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from catalog.endpoint.errors import ConnectionDropped, WireError
from catalog.endpoint.fault_injection import Faults
from catalog.web.connection import RESET


class InjectFaults:
    """Delays, fails or resets calls as the plan says.

    A fault after the operation loses the response and keeps the effect. ``operation_of`` gives the operation of a
    request, or an empty string for a request that no operation serves: such requests get no fault.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        faults: Callable[[], Faults],
        operation_of: Callable[[Scope], str],
        failure: Callable[[Scope, WireError], Response],
    ) -> None:
        self._app = app
        self._faults = faults
        self._operation_of = operation_of
        self._failure = failure

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        operation = self._operation_of(scope) if scope["type"] == "http" else ""
        if not operation:
            await self._app(scope, receive, send)
            return
        try:
            fault = self._faults().draw(operation)
            if fault.delay:
                await asyncio.sleep(fault.delay)
            if fault.before is not None:
                raise fault.before
            if fault.after is None:
                await self._app(scope, receive, send)
            else:
                await self._app(scope, receive, _lose)
                raise fault.after
        except WireError as error:
            await self._failure(scope, error)(scope, receive, send)
        except ConnectionDropped:
            scope["extensions"][RESET]()


async def _lose(message: Message) -> None:
    """A ``send`` that loses the response."""
