"""The checks of ``Catalog.check``: what a scan needs. Nothing is paid."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from catalog.app.engines import engine_resources, free_engine
from catalog.app.lazy_module import LazyModule
from catalog.app.open_database import database_address
from catalog.app.resources import Resources
from catalog.domain.errors import CatalogError, LockHeld, UsageError
from catalog.domain.file_names import is_named_like_a_photo
from catalog.domain.photos import PhotoRef
from catalog.domain.source import Source
from catalog.domain.uri import entry_name
from catalog.engines.engine_spec import CheckResult
from catalog.store.database_address import is_file, parse_address, sqlite_path
from catalog.store.source_locks import CATALOGUE, lock_sources

if TYPE_CHECKING:
    from catalog.sources import s3
else:
    s3 = LazyModule("catalog.sources.s3")

MIN_FREE_BYTES = 200_000_000
"""Bytes that should be free beside the database. A nightly scan writes far less."""

_NAME_BY_ERROR = {
    "DatabaseError": "database",
    "SchemaError": "database",
    "SourceError": "source",
    "EngineError": "engine",
    "UsageError": "source",
    "PhotoError": "source",
}


def check(resources: Resources, sources: Sequence[str], *, make_collection: bool) -> Iterator[CheckResult]:
    configured = resources.configured_engine
    if make_collection and not configured.capabilities.creates_gallery:
        raise UsageError(f"The engine {configured.name} has no collection to make.", remedy="Add --engine rekognition.")
    for checks in _checks(resources, sources, make_collection=make_collection):
        yield from _with_errors_as_results(checks)


def _checks(
    resources: Resources, sources: Sequence[str], *, make_collection: bool
) -> Iterator[Callable[[], Iterable[CheckResult]]]:
    yield lambda: _database(resources)
    yield lambda: _disk(resources)
    yield lambda: _lock(resources)
    configured, free = resources.configured_engine, free_engine(resources.settings)
    if resources.settings.scan.prefilter and configured.capabilities.is_paid:
        yield lambda: free.spec.checks(free.options, resources.engine_resources, False)
    yield lambda: _engine(resources, make_collection=make_collection)
    for address in sources:
        yield lambda address=address: _source(resources, address)  # type: ignore[misc]  # bound now, not later


def _with_errors_as_results(checks: Callable[[], Iterable[CheckResult]]) -> Iterator[CheckResult]:
    """Yield the results. An error of the program is the last result, under the name of the failed part."""
    name = "settings"
    try:
        for result in checks():
            name = result.name
            yield result
    except CatalogError as error:
        name = _NAME_BY_ERROR.get(type(error).__name__, name)
        yield CheckResult(name, ok=False, note=str(error), remedy=error.remedy)


def _database(resources: Resources) -> Iterator[CheckResult]:
    with resources.existing_database() as existing, existing.read() as connection:
        connection.exec_driver_sql("SELECT 1")
        url = parse_address(database_address(resources.settings))
        is_missing = is_file(url) and existing.path is None  # an empty one in memory is in its place
        yield CheckResult("database", ok=True, note=f"{sqlite_path(url)}, not made yet" if is_missing else existing.url)


def _disk(resources: Resources) -> Iterator[CheckResult]:
    url = parse_address(database_address(resources.settings))
    if not is_file(url):
        return
    folder = sqlite_path(url).parent
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    is_enough = free >= MIN_FREE_BYTES
    remedy = "" if is_enough else "Free some space, or keep the catalogue elsewhere (database.url)."
    yield CheckResult("disk", ok=is_enough, note=f'{free / 1e9:,.1f} GB free in "{folder}"', remedy=remedy)


def _lock(resources: Resources) -> Iterator[CheckResult]:
    url = parse_address(database_address(resources.settings))
    if is_file(url) and not sqlite_path(url).exists():
        yield CheckResult("lock", ok=None, note="there is no catalogue yet; the first scan creates it")
        return
    try:
        with resources.existing_database() as existing, lock_sources(existing, [CATALOGUE]):
            yield CheckResult("lock", ok=True, note="free")
    except LockHeld:
        yield CheckResult("lock", ok=True, note="another scan is running")


def _engine(resources: Resources, *, make_collection: bool) -> Iterator[CheckResult]:
    """The checks of the engine. They read an existing catalogue and create none."""
    configured = resources.configured_engine
    with resources.existing_database() as existing:
        existing_resources = engine_resources(
            resources.settings, lambda: existing, lambda: resources.opener, resources.spending
        )
        yield from configured.spec.checks(configured.options, existing_resources, make_collection)


def _source(resources: Resources, address: str) -> Iterator[CheckResult]:
    (source,) = resources.sources([address])
    if address.startswith("s3://"):
        is_denied = yield from _s3_permissions(source, address)
        if is_denied:
            return
    for item in source.list():
        if not isinstance(item, PhotoRef) or not is_named_like_a_photo(entry_name(item.uri)):
            continue
        source.open(item)
        yield CheckResult(f"source {address}", ok=True, note="can be listed and read")
        return
    yield CheckResult(f"source {address}", ok=None, note="can be listed; it holds no photo that can be read")


def _s3_permissions(source: Source, address: str) -> Generator[CheckResult, None, bool]:
    """Returns True if a permission is missing."""
    is_denied = False
    assert isinstance(source, s3.S3Source)
    for permission in source.rights():
        is_denied = is_denied or permission.granted is False
        yield _permission_result(permission.action, permission.granted, permission.note or address)
    return is_denied


def _permission_result(action: str, granted: bool | None, note: str) -> CheckResult:
    is_denied = granted is False
    return CheckResult(
        action,
        ok=granted,
        note="AWS denies it" if is_denied else note,
        remedy="Add it to the policy; config/iam-policy.json holds what is needed." if is_denied else "",
    )
