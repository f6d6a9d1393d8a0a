"""Catalogue the faces of a photo library: ``catalog.open()`` gives a :class:`Catalog`.

The names of ``__all__`` are the public API; everything else is private. Each is loaded at its first use.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from catalog.app.catalog import Catalog as Catalog
    from catalog.app.catalog import open as open  # noqa: A004  catalog.open() is the public name
    from catalog.app.settings import Settings as Settings
    from catalog.domain.charges import Charge as Charge
    from catalog.domain.charges import Operation as Operation
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
    from catalog.domain.errors import SchemaError as SchemaError
    from catalog.domain.errors import SettingsError as SettingsError
    from catalog.domain.errors import SourceError as SourceError
    from catalog.domain.errors import UsageError as UsageError
    from catalog.domain.faces import Analysis as Analysis
    from catalog.domain.faces import BoundingBox as BoundingBox
    from catalog.domain.faces import ComparedFace as ComparedFace
    from catalog.domain.faces import Comparison as Comparison
    from catalog.domain.faces import Face as Face
    from catalog.domain.people import Person as Person
    from catalog.domain.photos import Outcome as Outcome
    from catalog.domain.photos import OutcomeKind as OutcomeKind
    from catalog.identities.decisions.log import Decision as Decision
    from catalog.identities.matching.find_person import FindResult as FindResult
    from catalog.identities.matching.find_person import FoundFace as FoundFace
    from catalog.identities.matching.find_person import PersonCandidate as PersonCandidate
    from catalog.reports.filters import ReportFilters as ReportFilters
    from catalog.reports.run_report import ReportTable as ReportTable
    from catalog.reports.status import Status as Status
    from catalog.store.catalogued_faces import CataloguedFace as CataloguedFace
    from catalog.store.charges import ChargeSum as ChargeSum

    __version__: str

_MODULE_BY_NAME = {
    "Analysis": "domain.faces",
    "AmbiguousPersonError": "domain.errors",
    "BoundingBox": "domain.faces",
    "Catalog": "app.catalog",
    "CatalogError": "domain.errors",
    "CataloguedFace": "store.catalogued_faces",
    "Charge": "domain.charges",
    "ChargeSum": "store.charges",
    "CheckRefused": "domain.errors",
    "ComparedFace": "domain.faces",
    "Comparison": "domain.faces",
    "DatabaseError": "domain.errors",
    "Decision": "identities.decisions.log",
    "EngineError": "domain.errors",
    "Face": "domain.faces",
    "FindResult": "identities.matching.find_person",
    "FoundFace": "identities.matching.find_person",
    "LimitReached": "domain.errors",
    "LockHeld": "domain.errors",
    "NoFaceError": "domain.errors",
    "Operation": "domain.charges",
    "Outcome": "domain.photos",
    "OutcomeKind": "domain.photos",
    "Person": "domain.people",
    "PersonCandidate": "identities.matching.find_person",
    "PersonError": "domain.errors",
    "PhotoError": "domain.errors",
    "ReportFilters": "reports.filters",
    "ReportTable": "reports.run_report",
    "SchemaError": "domain.errors",
    "Settings": "app.settings",
    "SettingsError": "domain.errors",
    "SourceError": "domain.errors",
    "Status": "reports.status",
    "UsageError": "domain.errors",
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
