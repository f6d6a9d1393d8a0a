"""``catalog scan``: the main job. Progress bar, table and JSON lines are three readers of one stream of outcomes."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from tqdm import tqdm

from catalog.app.after_scan import run_after_scan_steps
from catalog.app.resources import Resources, open_resources
from catalog.cli.duration import seconds
from catalog.cli.options import VERSION, AsJson, Config, Database, EngineName, Verbose
from catalog.cli.post_command import running_post_command
from catalog.cli.scan_plan import print_plan
from catalog.cli.signals import interruptible
from catalog.cli.watch_output import HOW, hit_json, hit_line, write_crops
from catalog.domain.errors import CheckRefused
from catalog.domain.photos import Outcome, OutcomeKind
from catalog.domain.uri import display
from catalog.engines.engine_spec import SpendingLimit
from catalog.engines.prefilter import PrefilterCounts, PrefilteredEngine
from catalog.identities.matching.watch_hits import WatchHit
from catalog.scanning.run_scan import ScanLimits
from catalog.scanning.run_scan import scan as run_scan
from catalog.scanning.stop_signal import StopSignal
from catalog.scanning.summary import Summary

Sources = Annotated[
    list[str],
    typer.Argument(metavar="SOURCE", help="Folders, single photos or s3://bucket/prefix.", show_default=False),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Print what would be done and what it would cost; do nothing.")]
Limit = Annotated[int | None, typer.Option("--limit", min=1, help="Read at most so many photos.")]
Workers = Annotated[int | None, typer.Option("--workers", min=1, max=256, help="Photos worked on at once.")]
MaxTime = Annotated[
    float | None,
    typer.Option("--max-time", parser=seconds, metavar="TIME", help="End after 90s, 30m or 8h; exit code 7."),
]
MaxCalls = Annotated[int | None, typer.Option("--max-calls", min=0, help="Pay for at most so many calls; exit code 7.")]
MaxCost = Annotated[
    float | None, typer.Option("--max-cost", min=0, metavar="DOLLARS", help="Pay at most so much; exit code 7.")
]
Prefilter = Annotated[
    bool | None,
    typer.Option("--prefilter/--no-prefilter", help="Pay only for photos in which the local engine sees a face."),
]
Wait = Annotated[
    float,
    typer.Option("--wait", parser=seconds, metavar="TIME", help="Wait so long for another scan of a source to end."),
]
Force = Annotated[
    bool, typer.Option("--force", help="Believe that a source or folder is empty, and mark its photos as missing.")
]
LogFormat = Annotated[
    str | None, typer.Option("--log-format", metavar="FORM", help="What goes to stderr: text, or json lines.")
]
Worker = Annotated[
    bool, typer.Option("--worker", help="Share the sources with other workers, on any machine; PostgreSQL only.")
]


class FailCondition(StrEnum):
    """What may make a finished scan end with exit code 9."""

    CHURN = "churn"
    CONFLICTS = "conflicts"
    HITS = "hits"


FailOn = Annotated[
    list[FailCondition] | None,
    typer.Option(
        "--fail-on",
        help="Exit code 9 when faces changed company (churn), when a person is twice on one photo (conflicts), or when "
        "the watch list has new hits (hits); repeatable.",
    ),
]
Crops = Annotated[
    Path | None,
    typer.Option("--crops", metavar="DIR", help="Write a crop of each new hit on the watch list there."),
]
PostCommand = Annotated[
    str | None,
    typer.Option(
        "--post-command",
        metavar="COMMAND",
        help="Run this after the scan, with the summary and new hits on the watch list as JSON on its stdin.",
    ),
]


def scan(
    sources: Sources,
    dry_run: DryRun = False,
    limit: Limit = None,
    workers: Workers = None,
    engine: EngineName = None,
    max_time: MaxTime = None,
    max_calls: MaxCalls = None,
    max_cost: MaxCost = None,
    prefilter: Prefilter = None,
    wait: Wait = 0,
    force: Force = False,
    worker: Worker = False,
    fail_on: FailOn = None,
    crops: Crops = None,
    post_command: PostCommand = None,
    log_format: LogFormat = None,
    as_json: AsJson = False,
    database: Database = None,
    config: Config = None,
    verbose: Verbose = 0,
) -> int:
    """Find the faces in the photos of folders or S3 prefixes, and work out who is who.

    Running the same command again goes on where the last run ended, and reads only what is new or changed.
    """
    flags = {"scan.workers": workers, "engine.name": engine, "log.format": log_format, "scan.prefilter": prefilter}
    post_command = None if dry_run else post_command
    stop = StopSignal(max_time)
    limits = ScanLimits(photos=limit, stop=stop, wait_seconds=wait, believe_empty=force, shared=worker)
    with (
        open_resources(config, database, verbose, flags, begins=True) as catalog,
        interruptible(stop),
        running_post_command(post_command) as told,
    ):
        catalog.spending = SpendingLimit(max_calls, None if max_cost is None else Decimal(str(max_cost)))
        if dry_run:
            print_plan(catalog, sources, as_json=as_json)
            return 0
        outcomes = run_scan(
            catalog.sources(sources),
            database=catalog.database,
            engine=catalog.scan_engine,
            open_photo=catalog.open_photo,
            after_scan=partial(run_after_scan_steps, catalog),
            gallery=catalog.settings.engine.gallery,
            region=catalog.region,
            version=VERSION,
            workers=catalog.workers,
            limits=limits,
        )
        show = partial(_print_json, hits=catalog.new_hits) if as_json else _print_table
        told.summary = summary = show(outcomes)
        told.hits = [hit_json(hit) for hit in catalog.new_hits]
        _tell_hits(catalog, as_json=as_json, crops=crops)
        if summary.calls and (note := catalog.configured_engine.price_note()):
            typer.echo(note, err=True)
        if isinstance(catalog.scan_engine, PrefilteredEngine):
            _print_prefilter_counts(catalog.scan_engine.counts)
        if stopped := summary.limit or summary.suspect_folders:
            raise stopped
        told.exit_code = 3 if summary.failed else 0
        _check_gates(fail_on or [], summary, hits=len(catalog.new_hits))
        return told.exit_code


def _check_gates(gates: Iterable[FailCondition], summary: Summary, *, hits: int) -> None:
    """Raises CheckRefused when a gate that the user set is passed."""
    counts = {
        FailCondition.CHURN: (summary.churn, "faces changed company"),
        FailCondition.CONFLICTS: (summary.conflicts, "persons have two faces on one photo"),
        FailCondition.HITS: (hits, "new hits on the watch list wait for a person to look at them"),
    }
    for gate in gates:
        count, what = counts[gate]
        if count:
            raise CheckRefused(f"{count:,} {what}.")


def _tell_hits(catalog: Resources, *, as_json: bool, crops: Path | None) -> None:
    """New hits without the names: what a scan says at night is kept in logs."""
    hits = catalog.new_hits
    if crops is not None and hits:
        write_crops(catalog, hits, crops)
    if hits and not as_json:
        typer.echo("\n".join(["new hits on the watch list", *(hit_line(hit, named=False) for hit in hits)]))
    if hits:
        typer.echo(HOW, err=True)


def _watched(outcomes: Iterable[Outcome | Summary]) -> Iterator[Outcome | Summary]:
    """The same stream, with a progress bar on stderr while it is a terminal."""
    if not sys.stderr.isatty():
        yield from outcomes
        return
    with tqdm(desc="photos", unit="", smoothing=0.05, file=sys.stderr) as bar:
        faces = failed = 0
        for item in outcomes:
            if isinstance(item, Outcome):
                faces += item.faces
                failed += item.kind is OutcomeKind.FAILED
                # Writing the postfix costs more than an unchanged photo does.
                if item.kind is not OutcomeKind.UNCHANGED:
                    bar.set_postfix(faces=faces, failed=failed, refresh=False)
                bar.update()
            yield item


def _print_table(outcomes: Iterator[Outcome | Summary]) -> Summary:
    for item in _watched(outcomes):
        if isinstance(item, Summary):
            typer.echo("\n".join(_table(item)))
            return item
        if item.kind is OutcomeKind.FAILED:
            tqdm.write(f"failed: {display(item.uri)}: {item.reason}", file=sys.stderr)
    raise AssertionError("a scan ends with its summary")


def _table(summary: Summary) -> list[str]:
    counts = summary.counts()
    lines = [f"photos discovered {counts['discovered']:>9,}"]
    lines += [f"  {kind.value:<15} {number:>9,}" for kind, number in summary.outcomes.items()]
    lines += [f"faces found       {counts['faces']:>9,}", f"faces rejected    {counts['rejected']:>9,}"]
    lines += [f"new persons       {counts['persons_new']:>9,}", f"persons deleted   {counts['persons_deleted']:>9,}"]
    lines += [f"changed company   {counts['churn']:>9,}", f"conflicts         {counts['conflicts']:>9,}"]
    if summary.calls:
        lines += [f"paid calls        {summary.calls:>9,}   ${summary.dollars:.4f}"]
    return lines


def _print_prefilter_counts(counts: PrefilterCounts) -> None:
    typer.echo(f"the prefilter skipped {counts.skipped:,} calls", err=True)
    if counts.sampled:
        typer.echo(
            f"of {counts.sampled:,} photos without a face that were sent as a sample, {counts.missed:,} showed a face "
            f"({counts.missed / counts.sampled:.1%})",
            err=True,
        )


def _print_json(outcomes: Iterator[Outcome | Summary], *, hits: Sequence[WatchHit]) -> Summary:
    for item in _watched(outcomes):
        if isinstance(item, Summary):
            typer.echo(json.dumps({"summary": True, **item.counts(), "hits": [hit_json(hit) for hit in hits]}))
            return item
        typer.echo(
            json.dumps(
                {
                    "uri": item.uri,
                    "sha256": item.sha256,
                    "outcome": item.kind.value,
                    "faces": item.faces,
                    "rejected": item.rejected,
                    "reason": item.reason,
                }
            )
        )
    raise AssertionError("a scan ends with its summary")
