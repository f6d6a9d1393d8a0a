"""Opens the Rekognition endpoint as a server."""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor

from catalog.endpoint.database import MEMORY
from catalog.endpoint.factory import open_service
from catalog.endpoint.fault_injection import FaultPlan
from catalog.endpoint.service import Service
from catalog.endpoint.signature import Key
from catalog.web.endpoint_app import endpoint_app, error_body
from catalog.web.limits import ServerLimits
from catalog.web.server import WebServer


class EndpointServer(WebServer):
    """A server of one :class:`Service`."""

    def __init__(
        self,
        service: Service,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        limits: ServerLimits | None = None,
        hosts: Collection[str] = (),
    ) -> None:
        """``hosts``: names that clients may use beside localhost, addresses and ``host``."""
        limits = limits or ServerLimits()
        self.service = service
        self._executor = ThreadPoolExecutor(limits.requests, thread_name_prefix="endpoint")
        app = endpoint_app(service, self._executor, limits=limits, hosts={host.lower(), *map(str.lower, hosts)})
        super().__init__(app, error_body, host=host, port=port, limits=limits)

    def close(self) -> None:
        """Close the socket. Operations in progress end in their threads."""
        super().close()
        self._executor.shutdown(wait=False, cancel_futures=True)


@contextlib.contextmanager
def open_endpoint(
    data: str = MEMORY,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    plan: FaultPlan | None = None,
    keys: Mapping[str, Key] | None = None,
    s3_url: str | None = None,
    s3_region: str = "us-east-1",
    max_side: int = 2048,
    provider: str = "cpu",
    limits: ServerLimits | None = None,
    hosts: Collection[str] = (),
) -> Iterator[EndpointServer]:
    """Yield a bound server; call ``serve_forever`` or use ``in_background``.

    The parameters of :func:`catalog.endpoint.factory.open_service` and of :class:`EndpointServer`. Raises
    DatabaseError, SettingsError, EngineError, and OSError if the address is in use.
    """
    with open_service(
        data, plan=plan, keys=keys, s3_url=s3_url, s3_region=s3_region, max_side=max_side, provider=provider
    ) as service:
        server = EndpointServer(service, host, port, limits=limits, hosts=hosts)
        try:
            yield server
        finally:
            server.close()
