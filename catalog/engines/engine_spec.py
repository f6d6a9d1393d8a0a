"""Description of an engine before it is opened. Each engine's ``spec.py`` makes one :class:`EngineSpec`."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from catalog.domain.charges import Charge, Operation
from catalog.domain.user_vectors import UserVectorCalls

if TYPE_CHECKING:
    from sqlalchemy import Engine as SqlEngine

    from catalog.domain.call_log import CallLog
    from catalog.domain.engine import Engine, EngineCapabilities
    from catalog.domain.faces import QualityFilter
    from catalog.domain.opened_photo import OpenedPhoto
    from catalog.domain.prepared_photo import Preparer
    from catalog.domain.user_vectors import UserVectorRules

CallsThisMonth = Mapping[Operation, int]
"""Paid calls of this calendar month (UTC) by operation: they decide the price tier."""


@dataclass(frozen=True, slots=True)
class SpendingLimit:
    """Highest number of paid calls and of dollars that one command may spend; None is no limit."""

    max_calls: int | None = None
    max_dollars: Decimal | None = None


@dataclass(frozen=True, slots=True)
class GalleryDatabase:
    """Connections for an engine whose gallery is in the catalogue's database.

    A commit on ``enrolling`` may be lost in a power cut as long as the catalogue has committed nothing that refers to
    it. Commits on ``engine`` are durable. ``search_folder`` is a folder of this database for files that make searches
    faster; None: no file is written.
    """

    engine: SqlEngine
    enrolling: SqlEngine
    search_folder: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineResources:
    """Resources that an engine is opened with, besides its own options. A callable is called only where needed."""

    gallery: str
    quality_filter: QualityFilter
    attributes: Literal["all", "none"]
    provider: str
    """Value of ``engine.provider``: where an engine on this machine runs its networks."""
    parallel_calls: int
    """Most calls that the command makes at once."""
    reopen: Callable[[bytes, int], OpenedPhoto]
    """Decodes a photo's bytes again, reduced to at most so many pixels on the longer side. Raises PhotoError."""
    gallery_database: Callable[[], GalleryDatabase]
    calls_this_month: Callable[[], CallsThisMonth]
    gallery_model: Callable[[], str | None]
    """Model that enrolled the gallery's faces; None for a gallery without faces."""
    known_faces: Callable[[], int]
    """Faces of the gallery that the catalogue knows."""
    owner: Callable[[], str]
    """Name of this catalogue, which marks its faces in a gallery that other catalogues share."""
    call_log: Callable[[], CallLog | None]
    """Opens the log of calls that are about to be sent."""
    may_be_lost: bool = False
    """Opens a gallery that lost its faces, in order to repair it; else the engine refuses it."""
    spending: SpendingLimit = SpendingLimit()


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparerResources:
    """Resources of a preparer. It may run on another machine and gets no options of the engine and no database."""

    quality_filter: QualityFilter
    attributes: Literal["all", "none"]
    reopen: Callable[[bytes, int], OpenedPhoto]
    """As in :class:`EngineResources`."""


@dataclass(frozen=True, slots=True)
class CheckResult:
    """One item of ``catalog check``. ``ok`` is None where the item was not tried."""

    name: str
    ok: bool | None
    note: str = ""
    remedy: str = ""


def _not_paid(_options: Any, _calls: CallsThisMonth, operation: Operation, calls: int) -> Charge:
    return Charge(operation, calls, Decimal(0))


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineSpec:
    """Describes one engine. Every callable takes the engine's options first.

    ``options`` is a frozen dataclass: the engine's section of ``config/default.toml``. Without fields there is no
    section. Only ``open``, ``open_without_gallery`` and ``open_preparer`` load the engine itself.
    """

    name: str
    options: type[Any]
    capabilities: Callable[[Any], EngineCapabilities]
    open: Callable[[Any, EngineResources], Engine]
    """Opens the engine on the gallery of the resources. Raises EngineError and SettingsError."""
    open_without_gallery: Callable[[Any, EngineResources], Engine] | None = None
    """Opens the engine for analyze and compare alone; None: ``open`` is used."""
    open_preparer: Callable[[PreparerResources], Preparer] | None = None
    """Opens the part of an enrollment that other machines can do; None: the engine cannot be used on a cluster."""
    quote: Callable[[Any, CallsThisMonth, Operation, int], Charge] = _not_paid
    """Dollars of further calls, without opening the engine. Raises SettingsError."""
    region: Callable[[Any], str] = lambda _: ""
    """Region of the calls, stored with every charge. Raises EngineError."""
    price_note: Callable[[Any, str], str] = lambda *_: ""
    """Sentence for a region whose prices are not known; empty where they are."""
    known_model: Callable[[Any], str] | None = None
    """Model of the engine, where it is known before the engine is opened: such an engine is opened at its first photo.

    None: it is opened when a scan begins, which shows that the gallery can be used."""
    checks: Callable[[Any, EngineResources, bool], Iterable[CheckResult]] = lambda *_: ()
    """Items of `catalog check`; the flag allows to create the gallery. Free of charge. Raises EngineError."""
    verify_gallery: Callable[[Any, EngineResources], str] = lambda *_: ""
    """Raises the EngineError with which a scan would refuse the gallery, for the dry run. Creates nothing.

    Returns a sentence if the gallery could not be asked."""
    face_month_price: Callable[[Any], Decimal] = lambda _: Decimal(0)
    """Dollars for storing one face for a month."""
    user_vector_rules: Callable[[Any], UserVectorRules | None] = lambda _: None
    """Rules for user vectors; None where the engine has none or the options switch them off."""
    count_user_vector_calls: Callable[
        [Any, EngineResources, Mapping[str, Sequence[str]], Collection[str]], UserVectorCalls
    ] = lambda *_: UserVectorCalls()
    """Paid calls that give each person (by id) a user vector of the faces, after the removal of other faces. Free.

    Raises EngineError."""
    default_parallel_calls: Callable[[Any], int] = lambda _: 0
    """Photos in progress at once by default; 0: one per processor."""
