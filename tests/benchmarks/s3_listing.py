"""Requests of a scan of an unchanged S3 prefix: one ListObjectsV2 per thousand keys, and no other.

``python -m tests.benchmarks.s3_listing [--keys 100000]``

moto's S3 server runs in this process, its store filled from behind; every request that reaches it over HTTP is counted
there. Exit code 1 where a call is made that should not be, or a photo is missing. (The memory that is shown is that of
the server and its pages too.)
"""

from __future__ import annotations

import argparse
import os
import resource
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import parse_qs

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from moto.s3.models import s3_backends
from werkzeug.serving import WSGIRequestHandler, make_server

from catalog.domain.photos import PhotoRef
from catalog.sources.s3 import S3Source


class Counted:
    """A WSGI application that counts what it is asked."""

    def __init__(self, application: Callable[..., Iterable[bytes]]) -> None:
        self.application = application
        self.calls: Counter[str] = Counter()

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        is_listing = parse_qs(environ["QUERY_STRING"]).get("list-type") == ["2"]
        self.calls["ListObjectsV2" if is_listing else f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']}"] += 1
        return self.application(environ, start_response)


class Quiet(WSGIRequestHandler):
    """A server that does not log."""

    def log(self, type: str, message: str, *args: Any) -> None:  # noqa: A002 - as the base class has it
        """Nothing."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--keys", type=int, default=100_000)
    keys = parser.parse_args().keys
    os.environ |= {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": "us-east-1"}
    store = s3_backends["123456789012"]["aws"]
    store.create_bucket("library", "us-east-1")
    for number in range(keys):
        store.put_object("library", f"photos/{number // 1000:04}/IMG_{number:07}.jpg", b"x")
    for number in range(50):
        store.put_object("library", f"photos-old/{number}.jpg", b"x")
    counted = Counted(DomainDispatcherApplication(create_backend_app))
    server = make_server("127.0.0.1", 0, counted, threaded=True, request_handler=Quiet)
    threading.Thread(target=server.serve_forever, daemon=True).start()

    source = S3Source("s3://library/photos", endpoint_url=f"http://127.0.0.1:{server.server_port}")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    began = time.monotonic()
    photos = sum(isinstance(entry, PhotoRef) for entry in source.list())
    seconds = time.monotonic() - began
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    server.shutdown()

    pages = -(-keys // 1000)
    print(f"{'keys':>12} {'photos':>12} {'calls':>12} {'expected':>12} {'seconds':>12} {'grown by MB':>12}")
    print(f"{keys:>12,} {photos:>12,} {counted.calls.total():>12,} {pages:>12,} {seconds:>12.1f} {grown // 1024:>12,}")
    for call, times in counted.calls.items():
        print(f"{times:>6} {call}")
    return 0 if counted.calls == {"ListObjectsV2": pages} and photos == keys else 1


if __name__ == "__main__":
    sys.exit(main())
