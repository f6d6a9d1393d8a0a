"""The public class :class:`Catalog`, and :func:`open`, which makes one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from datetime import timedelta
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from threading import Lock
from types import TracebackType
from typing import TYPE_CHECKING
from weakref import WeakSet

from catalog.app.files import CatalogFiles
from catalog.app.lazy_module import LazyModule
from catalog.app.questions import CatalogQuestions
from catalog.app.resources import Resources
from catalog.app.scan_options import FailCondition, ScanLimits
from catalog.app.settings import Settings, load_settings
from catalog.domain.engine import EngineCapabilities
from catalog.domain.errors import UsageError
from catalog.domain.uri import display_name

if TYPE_CHECKING:
    from catalog.app import (
        browsing,
        checking,
        deciding,
        employees,
        grouping,
        reviewing,
        scan_plan,
        scan_run,
        upkeep,
        watching,
    )
    from catalog.app import refresh_dates as refreshing
    from catalog.app.browsing import Browse
    from catalog.app.deciding import Decisions
    from catalog.app.employees import Employees
    from catalog.app.refresh_dates import RefreshedDates
    from catalog.app.remote_reader import PreparationCluster
    from catalog.app.reviewing import Review
    from catalog.app.scan_plan import ScanPlan
    from catalog.app.scan_run import ScanRun
    from catalog.app.upkeep import Reconciliation
    from catalog.app.watching import WatchList
    from catalog.engines import engine_spec
    from catalog.engines.engine_spec import CheckResult
    from catalog.identities.assignment.recluster_apply import ReclusterResult
    from catalog.identities.assignment.recluster_plan import ReclusterPlan
    from catalog.identities.decisions.forget import ForgetReceipt
    from catalog.scanning.prune import PruneResult
    from catalog.scanning.stop_signal import StopSignal
    from catalog.store.migrate import Upgrade
    from catalog.store.source_rows import SourceRow
else:
    browsing = LazyModule("catalog.app.browsing")
    checking = LazyModule("catalog.app.checking")
    deciding = LazyModule("catalog.app.deciding")
    employees = LazyModule("catalog.app.employees")
    watching = LazyModule("catalog.app.watching")
    grouping = LazyModule("catalog.app.grouping")
    refreshing = LazyModule("catalog.app.refresh_dates")
    reviewing = LazyModule("catalog.app.reviewing")
    scan_plan = LazyModule("catalog.app.scan_plan")
    scan_run = LazyModule("catalog.app.scan_run")
    upkeep = LazyModule("catalog.app.upkeep")
    engine_spec = LazyModule("catalog.engines.engine_spec")


def open(  # noqa: A001  called as catalog.open()
    database: str | Path | None = None,
    *,
    config: Path | None = None,
    settings: Mapping[str, object] | None = None,
    create: bool = False,
    read_only: bool = False,
    user: str | None = None,
) -> Catalog:
    """Open a catalogue; use it in a ``with`` block, which closes it.

    ``database`` is the path of an SQLite file, ``sqlite:///PATH`` or ``postgresql://...``; default: the setting
    ``database.url``, else the user's own catalogue. ``config`` is a settings file that replaces the user's own.
    ``settings`` maps ``section.key`` to a value and is applied last: ``{"engine.name": "local"}``.

    With ``create`` a missing catalogue is created; without it the first call that needs the catalogue raises
    DatabaseError. ``read_only`` changes nothing, and a missing catalogue reads as an empty one. ``user`` is recorded
    with each decision; default: the login name.

    The database and the engine are opened at the first call that needs them. Raises SettingsError.
    """
    address = None if database is None else str(database)
    loaded = load_settings(config, flags={**(settings or {}), "database.url": address})
    return Catalog(loaded, create=create, read_only=read_only, user=user)


class Catalog(CatalogQuestions, CatalogFiles):
    """One catalogue of photos, faces and persons. Its methods may be called from several threads.

    Values returned are frozen and hold no connection. Methods raise :class:`catalog.CatalogError` or a subclass, each
    with ``exit_code`` and ``remedy``. After ``close`` every method raises UsageError.
    """

    def __init__(
        self, settings: Settings, *, create: bool = False, read_only: bool = False, user: str | None = None
    ) -> None:
        self._stack = ExitStack()
        self._lock = Lock()
        self._open_resources: Resources | None = Resources(
            settings, self._stack, create=create, read_only=read_only, user=user
        )
        self._settings = settings
        self._runs: WeakSet[ScanRun] = WeakSet()

    def __enter__(self) -> Catalog:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @cached_property
    def decisions(self) -> Decisions:
        """Decisions about persons and faces."""
        return deciding.Decisions(lambda: self._resources)

    @cached_property
    def watch_list(self) -> WatchList:
        """Persons of interest and their hits."""
        return watching.WatchList(lambda: self._resources)

    @cached_property
    def employees(self) -> Employees:
        """Verification of employees."""
        return employees.Employees(lambda: self._resources)

    @cached_property
    def review(self) -> Review:
        """Questions about persons and faces, and their answers."""
        return reviewing.Review(lambda: self._resources)

    @cached_property
    def browse(self) -> Browse:
        """Persons, photos, albums and expressions, page by page."""
        return browsing.Browse(lambda: self._resources)

    def close(self) -> None:
        """Close running scans, the engine, the decoder processes and the database. A second call does nothing."""
        for run in list(self._runs):
            run.close()
        with self._lock:
            self._open_resources = None
        self._stack.close()

    @property
    def _resources(self) -> Resources:
        if self._open_resources is None:
            raise UsageError("The catalogue is closed.", remedy="Open it again with catalog.open().")
        return self._open_resources

    @property
    def settings(self) -> Settings:
        """The settings in use, with the origin of each."""
        return self._settings

    @property
    def capabilities(self) -> EngineCapabilities:
        """Abilities of the engine that the settings select. The engine is not opened."""
        return self._resources.configured_engine.capabilities

    # -------------------------------------------------------------------------------------------------- scanning

    def plan(self, sources: Sequence[str | Path], *, exclude: Sequence[str] = ()) -> ScanPlan:
        """Estimate the work and the cost of a scan of folders, files or ``s3://`` prefixes.

        Lists the sources. Nothing is written, and no paid call is made. For a paid engine at most 150 photos are read:
        possible copies, and a sample at which the free engine looks. For a free engine a few photos are read to
        estimate the time. ``exclude`` as for :meth:`scan`.
        """
        return scan_plan.plan(self._resources, [expanded(source) for source in sources], exclude)

    def scan(
        self,
        sources: Sequence[str | Path],
        *,
        limits: ScanLimits | None = None,
        stop: StopSignal | None = None,
        fail_on: Sequence[FailCondition] = (),
        post_command: str | None = None,
        exclude: Sequence[str] = (),
        crops: Path | None = None,
        cluster: PreparationCluster | None = None,
    ) -> ScanRun:
        """Catalogue the photos of folders, files or ``s3://`` prefixes, and assign their faces to persons.

        The scan runs while the result is iterated. Calling it again continues where the last scan ended and reads
        only photos that are new or changed. ``stop.interrupt()`` ends the scan from another thread. ``fail_on`` are
        the conditions of :meth:`ScanRun.check`. ``post_command`` is a shell command that runs when the scan ends,
        also with an error, with the summary as JSON on its stdin. ``exclude`` are patterns in ``.gitignore`` syntax,
        relative to each source and after those of the settings; ``!`` takes back. ``crops`` is a folder for a
        crop of each new hit on the watch list. With ``cluster``, of :func:`catalog.connect_cluster`, its workers read
        the photos and compute the faces.
        """
        run = scan_run.ScanRun(
            self._resources,
            [expanded(source) for source in sources],
            limits or ScanLimits(),
            stop,
            fail_on,
            post_command,
            exclude,
            crops,
            cluster,
        )
        self._runs.add(run)
        return run

    def scan_progress(self) -> int | None:
        """Photos that running scans of this machine's processes have recorded so far; None if no scan is running."""
        return upkeep.scan_progress(self._resources)

    def copying_log(self) -> AbstractContextManager[None]:
        """For programs that write often and must not wait: while the block runs, a thread copies SQLite's log.

        Otherwise a commit copies it. Does nothing on PostgreSQL.
        """
        return upkeep.copying_log(self._resources)

    def reconcile(
        self,
        *,
        dry_run: bool = False,
        remove_unknown: bool = False,
        max_calls: int | None = None,
        max_dollars: Decimal | None = None,
    ) -> Reconciliation:
        """Compare the gallery with the catalogue and repair both: remove faces without a photo, enroll lost ones.

        In a gallery that other catalogues may share, faces of unknown photos stay, unless ``remove_unknown``. Raises
        LimitReached before a paid call that would exceed ``max_calls`` or ``max_dollars``; finished photos are kept.
        """
        limit = engine_spec.SpendingLimit(max_calls, max_dollars)
        return upkeep.reconcile(self._resources, dry_run=dry_run, remove_unknown=remove_unknown, limit=limit)

    def sources(self) -> tuple[SourceRow, ...]:
        """The sources that were scanned, by address, with their present photos and their last complete scan."""
        return upkeep.sources(self._resources)

    def refresh_dates(self, sources: Iterable[str | Path] = (), *, dry_run: bool = False) -> RefreshedDates:
        """Read the dates of unchanged files again, after a release that reads more of them; default: of all sources.

        Dates that users decided stay. Nothing is sent to the engine. A photo keeps its date if one of its files cannot
        be read or has changed. Raises UsageError for a source that was never scanned.
        """
        chosen = [expanded(source) for source in sources]
        return refreshing.refresh_dates(self._resources, chosen, dry_run=dry_run)

    def remove_source(self, source: str | Path, *, dry_run: bool = False) -> PruneResult:
        """Remove a source that was scanned by mistake: its locations, photos found nowhere else, and their faces.

        Names, decisions and charges stay, and so do locations of another source inside this one. Raises UsageError for
        a source that was never scanned or that lies inside another one, and LockHeld while a scan is running.
        """
        return upkeep.remove_source(self._resources, expanded(source), dry_run=dry_run)

    def prune(self, *, older_than: timedelta = timedelta(days=30), dry_run: bool = False) -> PruneResult:
        """Remove photos that have been missing for longer than ``older_than``, with their faces.

        Decisions and charges stay. A photo that returns is scanned as a new one.
        """
        return upkeep.prune(self._resources, older_than, dry_run=dry_run)

    def check(self, sources: Sequence[str | Path] = (), *, make_collection: bool = False) -> Iterator[CheckResult]:
        """Check what a scan needs: database, disk, lock, engine, permissions and sources. Nothing is paid.

        Yields one result for each item. ``make_collection`` creates a missing collection of an engine that has one.
        """
        return checking.check(
            self._resources, [expanded(source) for source in sources], make_collection=make_collection
        )

    def upgrade_database(self) -> tuple[str, Upgrade]:
        """Upgrade the schema; an SQLite file is copied first. Returns the address without password, and the change."""
        return upkeep.upgrade_database(self._resources)

    # ------------------------------------------------------------------------------------------------- decisions

    def forget(self, person: str) -> ForgetReceipt:
        """Remove a person with all faces, matches and decisions for good, also from the gallery.

        The faces are never enrolled again. Cannot be undone. If this was interrupted after the person's rows were
        deleted, calling it again with the same argument deletes the faces from the gallery: the receipt then counts
        these alone.
        """
        return grouping.forget(self._resources, person)

    def recluster(self, *, cluster: PreparationCluster | None = None) -> ReclusterPlan:
        """Cluster all faces again and return what would change. Faces that a user decided on stay.

        With ``cluster``, of :func:`catalog.connect_cluster`, its workers compare the faces; the result is the same.
        """
        return grouping.recluster(self._resources, cluster)

    def apply_recluster(self, plan: ReclusterPlan) -> ReclusterResult:
        """Move the faces of a plan. Faces decided on since the plan was made stay. Cannot be undone."""
        return grouping.apply_recluster(self._resources, plan)


def expanded(source: str | Path) -> str:
    """The source as text, with ``~`` replaced by the home folder.

    Raises UsageError for an empty text and for an address of another kind than ``s3://``.
    """
    text = str(source)
    if not text:
        raise UsageError('The name of a source is empty. The current folder is ".".')
    if text.startswith("s3://"):
        return text
    if "://" in text and not Path(text).exists():
        raise UsageError(
            f'"{display_name(text)}" is no source.', remedy="Give a folder, a photo or s3://bucket/prefix."
        )
    return str(Path(text).expanduser())
