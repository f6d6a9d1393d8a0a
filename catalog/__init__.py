"""Catalogue the faces of a photo library: ``catalog.open()`` gives a :class:`Catalog`.

The names of ``__all__`` are the public API; everything else is private. Each is loaded at its first use.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from catalog.app.catalog import Catalog as Catalog
    from catalog.app.catalog import open as open  # noqa: A004  catalog.open() is the public name
    from catalog.app.dating import DateDecision as DateDecision
    from catalog.app.dating import DatedPhoto as DatedPhoto
    from catalog.app.employees import VerificationAudit as VerificationAudit
    from catalog.app.files import BackupResult as BackupResult
    from catalog.app.files import PageResult as PageResult
    from catalog.app.files import RestoreResult as RestoreResult
    from catalog.app.import_names import NameImportResult as NameImportResult
    from catalog.app.import_people import PeopleImportResult as PeopleImportResult
    from catalog.app.photo_input import ReferenceFace as ReferenceFace
    from catalog.app.refresh_dates import RefreshedDates as RefreshedDates
    from catalog.app.reporting import StoredFaces as StoredFaces
    from catalog.app.scan_options import FailCondition as FailCondition
    from catalog.app.scan_options import ScanLimits as ScanLimits
    from catalog.app.scan_plan import PlannedFolder as PlannedFolder
    from catalog.app.scan_plan import ScanPlan as ScanPlan
    from catalog.app.scan_run import ScanRun as ScanRun
    from catalog.app.scan_summary import ScanSummary as ScanSummary
    from catalog.app.settings import Settings as Settings
    from catalog.app.stacks import Stack as Stack
    from catalog.app.stacks import StackedFile as StackedFile
    from catalog.app.upkeep import Reconciliation as Reconciliation
    from catalog.distributed.connecting import connect_cluster as connect_cluster
    from catalog.domain.charges import Charge as Charge
    from catalog.domain.charges import Operation as Operation
    from catalog.domain.engine import EngineCapabilities as EngineCapabilities
    from catalog.domain.errors import AmbiguousPersonError as AmbiguousPersonError
    from catalog.domain.errors import CatalogError as CatalogError
    from catalog.domain.errors import CheckRefused as CheckRefused
    from catalog.domain.errors import DatabaseError as DatabaseError
    from catalog.domain.errors import EngineError as EngineError
    from catalog.domain.errors import LimitReached as LimitReached
    from catalog.domain.errors import LockHeld as LockHeld
    from catalog.domain.errors import NoFaceError as NoFaceError
    from catalog.domain.errors import PersonError as PersonError
    from catalog.domain.errors import PhotoError as PhotoError
    from catalog.domain.errors import SamePhotoError as SamePhotoError
    from catalog.domain.errors import SchemaError as SchemaError
    from catalog.domain.errors import SettingsError as SettingsError
    from catalog.domain.errors import SourceError as SourceError
    from catalog.domain.errors import UsageError as UsageError
    from catalog.domain.faces import Analysis as Analysis
    from catalog.domain.faces import BooleanAttribute as BooleanAttribute
    from catalog.domain.faces import BoundingBox as BoundingBox
    from catalog.domain.faces import ComparedFace as ComparedFace
    from catalog.domain.faces import Comparison as Comparison
    from catalog.domain.faces import Face as Face
    from catalog.domain.local_day import DatePrecision as DatePrecision
    from catalog.domain.local_day import LocalSpan as LocalSpan
    from catalog.domain.people import Person as Person
    from catalog.domain.photos import Outcome as Outcome
    from catalog.domain.photos import OutcomeKind as OutcomeKind
    from catalog.domain.taken_at import DateSource as DateSource
    from catalog.engines.engine_spec import CheckResult as CheckResult
    from catalog.engines.prefilter import PrefilterCounts as PrefilterCounts
    from catalog.exchange.albums import AlbumResult as AlbumResult
    from catalog.identities.assignment.explain import Explanation as Explanation
    from catalog.identities.assignment.explain import Neighbor as Neighbor
    from catalog.identities.assignment.recluster_apply import ReclusterResult as ReclusterResult
    from catalog.identities.assignment.recluster_plan import ReclusterPlan as ReclusterPlan
    from catalog.identities.assignment.suggestions import Suggestion as Suggestion
    from catalog.identities.decisions.forget import ForgetReceipt as ForgetReceipt
    from catalog.identities.decisions.log import Decision as Decision
    from catalog.identities.matching.error_rates import Evaluation as Evaluation
    from catalog.identities.matching.find_person import FindResult as FindResult
    from catalog.identities.matching.find_person import FoundFace as FoundFace
    from catalog.identities.matching.find_person import PersonCandidate as PersonCandidate
    from catalog.identities.matching.verification_log import AuditRow as AuditRow
    from catalog.identities.matching.verify_employee import Verification as Verification
    from catalog.identities.matching.verify_employee import VerificationVerdict as VerificationVerdict
    from catalog.identities.matching.watch_hits import WatchHit as WatchHit
    from catalog.reports.filters import ReportFilters as ReportFilters
    from catalog.reports.person_counts import PersonCounts as PersonCounts
    from catalog.reports.report_table import ReportRows as ReportRows
    from catalog.reports.report_table import ReportTable as ReportTable
    from catalog.reports.status import ScanStatus as ScanStatus
    from catalog.reports.status import Status as Status
    from catalog.scanning.prune import PruneResult as PruneResult
    from catalog.scanning.reconcile import GalleryDifference as GalleryDifference
    from catalog.scanning.reconcile import GalleryRepair as GalleryRepair
    from catalog.scanning.stop_signal import StopSignal as StopSignal
    from catalog.store.catalogued_faces import CataloguedFace as CataloguedFace
    from catalog.store.charges import ChargeSum as ChargeSum
    from catalog.store.source_rows import SourceRow as SourceRow
    from catalog.store.verification_rows import EmployeeRow as EmployeeRow
    from catalog.store.watch_rows import WatchEntry as WatchEntry

    __version__: str

_MODULE_BY_NAME = {
    "AmbiguousPersonError": "domain.errors",
    "Analysis": "domain.faces",
    "AuditRow": "identities.matching.verification_log",
    "BackupResult": "app.files",
    "BooleanAttribute": "domain.faces",
    "BoundingBox": "domain.faces",
    "Catalog": "app.catalog",
    "CatalogError": "domain.errors",
    "CataloguedFace": "store.catalogued_faces",
    "Charge": "domain.charges",
    "ChargeSum": "store.charges",
    "EmployeeRow": "store.verification_rows",
    "EngineCapabilities": "domain.engine",
    "StoredFaces": "app.reporting",
    "CheckRefused": "domain.errors",
    "CheckResult": "engines.engine_spec",
    "ComparedFace": "domain.faces",
    "Comparison": "domain.faces",
    "DatabaseError": "domain.errors",
    "DateDecision": "app.dating",
    "DatePrecision": "domain.local_day",
    "DateSource": "domain.taken_at",
    "DatedPhoto": "app.dating",
    "RefreshedDates": "app.refresh_dates",
    "Decision": "identities.decisions.log",
    "EngineError": "domain.errors",
    "Evaluation": "identities.matching.error_rates",
    "Explanation": "identities.assignment.explain",
    "Face": "domain.faces",
    "FailCondition": "app.scan_options",
    "FindResult": "identities.matching.find_person",
    "ForgetReceipt": "identities.decisions.forget",
    "FoundFace": "identities.matching.find_person",
    "LocalSpan": "domain.local_day",
    "GalleryDifference": "scanning.reconcile",
    "GalleryRepair": "scanning.reconcile",
    "LimitReached": "domain.errors",
    "LockHeld": "domain.errors",
    "NameImportResult": "app.import_names",
    "PeopleImportResult": "app.import_people",
    "Neighbor": "identities.assignment.explain",
    "NoFaceError": "domain.errors",
    "Operation": "domain.charges",
    "Outcome": "domain.photos",
    "OutcomeKind": "domain.photos",
    "PageResult": "app.files",
    "Person": "domain.people",
    "PersonCandidate": "identities.matching.find_person",
    "PersonCounts": "reports.person_counts",
    "PersonError": "domain.errors",
    "PhotoError": "domain.errors",
    "AlbumResult": "exchange.albums",
    "PlannedFolder": "app.scan_plan",
    "PrefilterCounts": "engines.prefilter",
    "PruneResult": "scanning.prune",
    "ReclusterPlan": "identities.assignment.recluster_plan",
    "ReclusterResult": "identities.assignment.recluster_apply",
    "Reconciliation": "app.upkeep",
    "ReferenceFace": "app.photo_input",
    "ReportFilters": "reports.filters",
    "ReportRows": "reports.report_table",
    "ReportTable": "reports.report_table",
    "RestoreResult": "app.files",
    "ScanLimits": "app.scan_options",
    "ScanPlan": "app.scan_plan",
    "ScanRun": "app.scan_run",
    "ScanStatus": "reports.status",
    "ScanSummary": "app.scan_summary",
    "SamePhotoError": "domain.errors",
    "SchemaError": "domain.errors",
    "Settings": "app.settings",
    "SettingsError": "domain.errors",
    "SourceError": "domain.errors",
    "Status": "reports.status",
    "SourceRow": "store.source_rows",
    "Stack": "app.stacks",
    "StackedFile": "app.stacks",
    "StopSignal": "scanning.stop_signal",
    "Suggestion": "identities.assignment.suggestions",
    "UsageError": "domain.errors",
    "Verification": "identities.matching.verify_employee",
    "VerificationAudit": "app.employees",
    "VerificationVerdict": "identities.matching.verify_employee",
    "WatchEntry": "store.watch_rows",
    "WatchHit": "identities.matching.watch_hits",
    "connect_cluster": "distributed.connecting",
    "open": "app.catalog",
}

__all__ = ["__version__", *_MODULE_BY_NAME]


def __getattr__(name: str) -> object:
    if name == "__version__":
        value: object = import_module("importlib.metadata").version("face-catalog")
    elif name in _MODULE_BY_NAME:
        value = getattr(import_module(f"{__name__}.{_MODULE_BY_NAME[name]}"), name)
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
