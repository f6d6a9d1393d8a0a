"""``catalog check``: is everything there that a scan needs? Nothing is paid, and nothing is changed."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Generator, Iterable, Iterator
from dataclasses import asdict
from typing import Annotated

import typer

from catalog.app.engines import free_engine
from catalog.app.open_database import database_address
from catalog.app.resources import Resources, open_resources
from catalog.cli.options import AsJson, Config, Database, EngineName, Verbose
from catalog.domain.errors import CatalogError, CheckRefused, LockHeld, UsageError
from catalog.domain.file_names import is_named_like_a_photo
from catalog.domain.photos import PhotoRef
from catalog.domain.source import Source
from catalog.domain.uri import entry_name
from catalog.engines.engine_spec import CheckResult
from catalog.store.database_address import is_file, parse_address, sqlite_path
from catalog.store.source_locks import CATALOGUE, lock_sources

LEAST_ROOM = 200_000_000
"""Bytes that should be free beside the database: a nightly scan writes far less."""

Sources = Annotated[
    list[str] | None,
    typer.Argument(metavar="[SOURCE]...", help="Folders or s3://bucket/prefix to look at too.", show_default=False),
]

MakeCollection = Annotated[
    bool,
    typer.Option(
        "--make-collection",
        help="Make the collection if it is not there, which is free and tries the right to; else the first scan does.",
    ),
]


def check(
    sources: Sources = None,
    make_collection: MakeCollection = False,
    engine: EngineName = None,
    as_json: AsJson = False,
    database: Database = None,
    config: Config = None,
    verbose: Verbose = 0,
) -> None:
    """Try what a scan needs: database, disk, lock, networks, and each right at AWS, without paying.

    Of S3 the first object's first byte is read. Nothing is changed, unless --make-collection is given.

    Exit code 9 when something is missing.
    """
    findings = []
    with open_resources(config, database, verbose, {"engine.name": engine}) as catalog:
        if make_collection and not catalog.configured_engine.capabilities.creates_gallery:
            raise UsageError(
                f"The engine {catalog.configured_engine.name} has no collection to make.",
                remedy="Add --engine rekognition.",
            )
        for look in _looks(catalog, sources or [], make_collection=make_collection):
            for finding in _safely(look):
                findings.append(finding)
                if not as_json:
                    _print(finding)
    if as_json:
        typer.echo(json.dumps([asdict(finding) for finding in findings], indent=2))
    missing = [finding for finding in findings if finding.ok is False]
    if missing:
        raise CheckRefused(f"{len(missing)} of {len(findings)} checks failed: {', '.join(f.name for f in missing)}.")


def _looks(
    catalog: Resources, sources: list[str], *, make_collection: bool
) -> Iterator[Callable[[], Iterable[CheckResult]]]:
    yield lambda: _database(catalog)
    yield lambda: _disk(catalog)
    yield lambda: _lock(catalog)
    chosen, free = catalog.configured_engine, free_engine(catalog.settings)
    if catalog.settings.scan.prefilter and chosen.capabilities.is_paid:
        yield lambda: free.spec.checks(free.options, catalog.engine_resources, False)
    yield lambda: chosen.spec.checks(chosen.options, catalog.engine_resources, make_collection)
    for address in sources:
        yield lambda address=address: _source(catalog, address)  # type: ignore[misc]  # bound now, not later


def _safely(look: Callable[[], Iterable[CheckResult]]) -> Iterator[CheckResult]:
    """What a look finds; an error of ours ends it as a finding, under the name it was looking for."""
    name = "settings"
    try:
        for finding in look():
            name = finding.name
            yield finding
    except CatalogError as error:
        yield CheckResult(_NAMES.get(type(error).__name__, name), ok=False, note=str(error), remedy=error.remedy)


_NAMES = {
    "DatabaseError": "database",
    "SchemaError": "database",
    "SourceError": "source",
    "EngineError": "engine",
    "UsageError": "source",
    "PhotoError": "source",
}


def _database(catalog: Resources) -> Iterator[CheckResult]:
    with catalog.existing_database() as existing, existing.read() as connection:
        connection.exec_driver_sql("SELECT 1")
        yield CheckResult("database", ok=True, note=existing.url)


def _disk(catalog: Resources) -> Iterator[CheckResult]:
    url = parse_address(database_address(catalog.settings))
    if not is_file(url):
        return
    folder = sqlite_path(url).parent
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    remedy = "Free some space, or keep the catalogue elsewhere (database.url)." if free < LEAST_ROOM else ""
    yield CheckResult("disk", ok=free >= LEAST_ROOM, note=f'{free / 1e9:,.1f} GB free in "{folder}"', remedy=remedy)


def _lock(catalog: Resources) -> Iterator[CheckResult]:
    url = parse_address(database_address(catalog.settings))
    if is_file(url) and not sqlite_path(url).exists():
        yield CheckResult("lock", ok=None, note="there is no catalogue yet; the first scan makes it")
        return
    try:
        with catalog.existing_database() as existing, lock_sources(existing, [CATALOGUE]):
            yield CheckResult("lock", ok=True, note="free")
    except LockHeld:
        yield CheckResult("lock", ok=True, note="another scan is at work")


def _source(catalog: Resources, address: str) -> Iterator[CheckResult]:
    (source,) = catalog.sources([address])
    if address.startswith("s3://"):
        denied = yield from _s3_rights(source, address)
        if denied:
            return
    for item in source.list():
        if not isinstance(item, PhotoRef) or not is_named_like_a_photo(entry_name(item.uri)):
            continue
        source.open(item)
        yield CheckResult(f"source {address}", ok=True, note="can be listed and read")
        return
    yield CheckResult(f"source {address}", ok=None, note="can be listed; it holds no photo to be read")


def _s3_rights(source: Source, address: str) -> Generator[CheckResult, None, bool]:
    """Whether a right is missing."""
    # Heavy: boto3.
    from catalog.sources.s3 import S3Source

    denied = False
    assert isinstance(source, S3Source)
    for right in source.rights():
        denied = denied or right.granted is False
        yield _right_finding(right.action, right.granted, right.note or address)
    return denied


def _right_finding(action: str, granted: bool | None, note: str) -> CheckResult:
    denied = granted is False
    return CheckResult(
        action,
        ok=granted,
        note="AWS denies it" if denied else note,
        remedy="Add it to the policy; config/iam-policy.json holds what is needed." if denied else "",
    )


def _print(finding: CheckResult) -> None:
    word = {True: "ok", False: "MISSING", None: "-"}[finding.ok]
    typer.echo(f"{word:8} {finding.name:36} {finding.note}".rstrip())
    if finding.remedy:
        typer.echo(f"{'':8} {finding.remedy}")
