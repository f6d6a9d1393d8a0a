"""``catalog scan``: prints outcomes as a progress bar, a table or JSON lines."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from catalog import FailCondition, OutcomeKind, ScanLimits, StopSignal
from catalog.app.hit_crops import HitCrops
from catalog.app.watch_hit_json import hit_json
from catalog.cli.chosen_cluster import chosen_cluster
from catalog.cli.duration import seconds
from catalog.cli.listing_output import listing_json
from catalog.cli.opening import open_catalog
from catalog.cli.options import AsJson, Cluster, Config, Database, EngineName, Verbose
from catalog.cli.progress_bar import print_above_bar, with_progress
from catalog.cli.scan_output import print_prefilter_counts, print_summary
from catalog.cli.scan_plan import print_plan
from catalog.cli.signals import interruptible
from catalog.cli.watch_output import HOW_TO_REVIEW, hit_line, print_missing_crops
from catalog.domain.uri import display

if TYPE_CHECKING:
    from catalog import Outcome, ScanRun, WatchHit

Sources = Annotated[
    list[str],
    typer.Argument(metavar="SOURCE", help="Folders, single photos or s3://bucket/prefix.", show_default=False),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Print what a scan would do and cost; change nothing.")]
Limit = Annotated[int | None, typer.Option("--limit", min=1, help="Read at most this many photos.")]
Workers = Annotated[int | None, typer.Option("--workers", min=1, max=256, help="Photos processed at the same time.")]
MaxTime = Annotated[
    float | None,
    typer.Option(
        "--max-time", parser=seconds, metavar="TIME", help="End after this time, such as 90s, 30m or 8h; exit code 7."
    ),
]
MaxCalls = Annotated[
    int | None, typer.Option("--max-calls", min=0, help="Make at most this many paid calls; exit code 7.")
]
MaxCost = Annotated[
    float | None, typer.Option("--max-cost", min=0, metavar="DOLLARS", help="Spend at most this much; exit code 7.")
]
Prefilter = Annotated[
    bool | None,
    typer.Option("--prefilter/--no-prefilter", help="Send only photos on which the local engine finds a face."),
]
Wait = Annotated[
    float,
    typer.Option("--wait", parser=seconds, metavar="TIME", help="Wait this long for another scan of a source to end."),
]
Force = Annotated[bool, typer.Option("--force", help="Mark the photos of an empty source or folder as missing.")]
LogFormat = Annotated[
    str | None, typer.Option("--log-format", metavar="FORM", help="Format of the messages on stderr: text or json.")
]
Exclude = Annotated[
    list[str] | None,
    typer.Option(
        "--exclude",
        metavar="PATTERN",
        help="Leave out files that match a pattern in .gitignore syntax, relative to each source; repeatable.",
    ),
]
Include = Annotated[
    list[str] | None,
    typer.Option("--include", metavar="PATTERN", help="Take back what was left out: --exclude '!PATTERN'."),
]
DefaultExcludes = Annotated[
    bool | None,
    typer.Option(
        "--default-excludes/--no-default-excludes",
        help="Leave out thumbnails, trash and caches of known products, and folders with .nomedia.",
    ),
]
Worker = Annotated[
    bool,
    typer.Option(
        "--worker", hidden=True, help="Share the sources with other workers on PostgreSQL. Use --cluster instead."
    ),
]


FailOn = Annotated[
    list[FailCondition] | None,
    typer.Option(
        "--fail-on",
        help="Exit code 9 if a machine separated faces of one person (churn), if a person has two faces on one photo "
        "(conflicts), or if the watch list has new hits (hits); repeatable.",
    ),
]
Crops = Annotated[
    Path | None,
    typer.Option("--crops", metavar="DIR", help="Write a crop of each new watch hit into this folder."),
]
PostCommand = Annotated[
    str | None,
    typer.Option(
        "--post-command",
        metavar="COMMAND",
        help="Run this command after the scan, with summary and new watch hits as JSON on its stdin.",
    ),
]
Quiet = Annotated[
    bool, typer.Option("--quiet", "-q", help="Print only errors, failed photos and new watch hits; no progress bar.")
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
    exclude: Exclude = None,
    include: Include = None,
    default_excludes: DefaultExcludes = None,
    cluster: Cluster = None,
    worker: Worker = False,
    fail_on: FailOn = None,
    crops: Crops = None,
    post_command: PostCommand = None,
    log_format: LogFormat = None,
    quiet: Quiet = False,
    as_json: AsJson = False,
    database: Database = None,
    config: Config = None,
    verbose: Verbose = 0,
) -> int:
    """Find the faces in photos and assign them to persons.

    The same command again continues where the last run ended and reads only photos that are new or changed.
    """
    flags = {
        "scan.workers": workers,
        "engine.name": engine,
        "log.format": log_format,
        "scan.prefilter": prefilter,
        "cluster.address": cluster,
        "scan.default_excludes": default_excludes,
    }
    patterns = [*(exclude or ()), *(f"!{pattern}" for pattern in include or ())]
    stop = StopSignal(max_time)
    limits = ScanLimits(
        photos=limit,
        calls=max_calls,
        dollars=None if max_cost is None else Decimal(str(max_cost)),
        wait_seconds=wait,
        believe_empty=force,
        shared=worker,
    )
    with open_catalog(config, database, verbose, flags, create=True) as catalog, interruptible(stop):
        if dry_run:
            print_plan(catalog.plan(sources, exclude=patterns), as_json=as_json, verbose=verbose > 0)
            return 0
        with (
            chosen_cluster(catalog.settings, shared=worker) as connected,
            catalog.scan(
                sources,
                limits=limits,
                stop=stop,
                fail_on=fail_on or (),
                post_command=post_command,
                exclude=patterns,
                crops=crops,
                cluster=connected,
            ) as outcomes,
        ):
            if as_json:
                _print_json(outcomes, quiet=quiet)
            else:
                shown = with_progress(outcomes, quiet=quiet, with_unchanged=False)
                _print_messages(shown, is_logged=catalog.settings.log.format == "json")
        summary = outcomes.summary
        if not (as_json or quiet):
            print_summary(catalog, summary, sources, verbose=verbose > 0)
        _print_hits(summary.hits, outcomes.crops, as_json=as_json)
        if quiet:
            return outcomes.check()
        if summary.price_note:
            typer.echo(summary.price_note, err=True)
        if summary.prefilter is not None:
            print_prefilter_counts(summary.prefilter)
        return outcomes.check()


def _print_hits(hits: Sequence[WatchHit], crops: HitCrops, *, as_json: bool) -> None:
    """Print new hits without names, because the output of nightly scans is kept in logs.

    Raises UsageError if the crops could not be written.
    """
    if not hits:
        return
    print_missing_crops(crops)
    if not as_json:
        typer.echo("\n".join(["new hits on the watch list", *(hit_line(hit, named=False) for hit in hits)]))
    typer.echo(HOW_TO_REVIEW, err=True)
    if crops.error is not None:
        raise crops.error


def _print_messages(outcomes: Iterable[Outcome], *, is_logged: bool) -> None:
    """Print failures and notes. ``is_logged``: the log on stderr has an entry for each failure."""
    for outcome in outcomes:
        if outcome.kind is OutcomeKind.FAILED and not is_logged:
            print_above_bar(f"failed: {display(outcome.uri)}: {outcome.reason}")
        elif outcome.kind in (OutcomeKind.NEW, OutcomeKind.CHANGED) and outcome.reason:
            print_above_bar(f"note: {display(outcome.uri)}: {outcome.reason}")


def _print_json(run: ScanRun, *, quiet: bool) -> None:
    for outcome in with_progress(run, quiet=quiet):
        typer.echo(
            json.dumps(
                {
                    "uri": outcome.uri,
                    "sha256": outcome.sha256,
                    "outcome": outcome.kind.value,
                    "faces": outcome.faces,
                    "rejected": outcome.rejected,
                    "reason": outcome.reason,
                }
            )
        )
    summary = run.summary
    files = listing_json(summary.left_out, summary.other_files)
    hits = [hit_json(hit, run.crops.paths.get(hit.number)) for hit in summary.hits]
    rest = {"missing": summary.missing, "calls": summary.calls, "dollars": float(summary.dollars), "hits": hits}
    typer.echo(json.dumps({"summary": True, **summary.counts(), **rest, **files}))
