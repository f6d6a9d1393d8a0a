"""Reads, hashes and decodes photos and computes their faces, on a machine that has the source and no catalogue.

A worker of a cluster calls :func:`prepare_chunk`. Its only effect is its result, because the cluster runs a chunk again
when a worker dies. Every value here can be pickled and holds no credentials: those for S3 come from the worker's own
environment.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from dataclasses import dataclass, field, replace
from importlib.metadata import version
from threading import Lock
from typing import Literal

from catalog.app.open_source import PhotoAccess, open_photo_access
from catalog.domain.content_hash import sha256_of
from catalog.domain.errors import CatalogError, EngineError, PhotoError, SourceError
from catalog.domain.faces import QualityFilter
from catalog.domain.photos import PhotoRef
from catalog.domain.prepared_photo import PreparedPhoto, Preparer
from catalog.domain.source import Content, Source
from catalog.domain.taken_at import TakenAt
from catalog.domain.uri import display
from catalog.engines.engine_spec import PreparerResources
from catalog.engines.prefilter import is_sampled
from catalog.engines.registry import ENGINES, FREE_ENGINE
from catalog.images.decode import DecodeLimits
from catalog.images.decoder_pool import DecoderPool
from catalog.scanning.enroll_stage import open_content
from catalog.scanning.photo_task import PhotoTask
from catalog.scanning.read_stage import is_photo

_OPEN_PREPARATIONS = 4
"""Preparations that a worker keeps: one for each source of a scan, or of a few scans at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparationSettings:
    """How to read and prepare the photos of one source. ``prefilter_sample`` is None without a prefilter."""

    scan: str
    """Names the scan, so that no worker reads a source through what it opened for an earlier one."""
    access: PhotoAccess
    engine: str
    quality_filter: QualityFilter
    attributes: Literal["all", "none"]
    max_side: int
    limits: DecodeLimits
    prefilter_sample: float | None = None


@dataclass(frozen=True, slots=True)
class SourceProbe:
    """A photo that the coordinator read, by which a worker shows that it sees the same source."""

    ref: PhotoRef
    head: bytes
    """The first bytes of the photo."""


@dataclass(frozen=True, slots=True)
class WorkerRequirements:
    """Conditions for every worker: the coordinator's release of ``catalog`` and weights, and access to the source."""

    version: str
    weights: str
    settings: PreparationSettings
    probe: SourceProbe | None = None


@dataclass(frozen=True, slots=True)
class ListedPhoto:
    """A location to read. ``known_sha256`` is its content at the last scan if the gallery holds that content."""

    ref: PhotoRef
    was_photo: bool
    known_sha256: str | None = None


@dataclass(frozen=True, slots=True)
class PreparationChunk:
    """Some tens of locations of one source."""

    requirements: WorkerRequirements
    photos: tuple[ListedPhoto, ...]


@dataclass(frozen=True, slots=True)
class PreparationResult:
    """Result for one location.

    ``sha256`` is empty for a file that is not a photo, or that could not be read; then ``error`` is set.
    ``prepared`` is None for the content ``known_sha256``.
    """

    sha256: str = ""
    size: int = 0
    prepared: PreparedPhoto | PhotoError | None = None
    error: CatalogError | None = None
    dates: tuple[TakenAt, ...] = ()
    """Dates of the files beside the photo."""


@dataclass(frozen=True, slots=True)
class ChunkResult:
    """Results in the order of the chunk's photos, and the seconds that they took.

    ``refusal`` is the error of a worker that does not fulfil the requirements; then there are no results.
    """

    results: tuple[PreparationResult, ...] = ()
    seconds: float = 0.0
    refusal: CatalogError | None = None


@dataclass(slots=True)
class Preparation:
    """A source, decoder processes and a preparer, opened once and used for many chunks, by several threads."""

    settings: PreparationSettings
    source: Source
    opener: DecoderPool
    preparer: Preparer
    free: Preparer | None
    is_checked: bool = False

    @classmethod
    def open(cls, settings: PreparationSettings, *, threads: int) -> Preparation:
        """Raises SourceError if the source does not exist here, and EngineError."""
        source = open_photo_access(settings.access, connections=threads)
        opener = DecoderPool(threads, settings.limits)

        def preparer_of(name: str, attributes: Literal["all", "none"]) -> Preparer:
            open_preparer = ENGINES[name].open_preparer
            if open_preparer is None:
                raise EngineError(f'The engine "{name}" cannot be used on a cluster.')
            resources = PreparerResources(
                quality_filter=settings.quality_filter, attributes=attributes, reopen=opener.open
            )
            return open_preparer(resources)

        free = None if settings.prefilter_sample is None else preparer_of(FREE_ENGINE.name, "none")
        return cls(settings, source, opener, preparer_of(settings.engine, settings.attributes), free)

    def prepare(self, listed: ListedPhoto) -> PreparationResult:
        task = PhotoTask(self.source, listed.ref)
        try:
            if not listed.was_photo and not is_photo(task.source, task.ref):
                return PreparationResult()
            content = self.source.open(listed.ref)
        except (PhotoError, SourceError) as error:
            return PreparationResult(error=_sendable(error))
        sha256, size = sha256_of(content.data), len(content.data)
        if sha256 == listed.known_sha256:
            return PreparationResult(sha256, size, dates=content.dates)
        try:
            return PreparationResult(sha256, size, self._prepare(content, sha256), dates=content.dates)
        except PhotoError as error:
            failure = PhotoError(str(error), remedy=error.remedy)
            return PreparationResult(sha256, size, failure, dates=content.dates)
        except EngineError as error:
            return PreparationResult(error=_sendable(error))

    def _prepare(self, content: Content, sha256: str) -> PreparedPhoto:
        photo = open_content(content, lambda data: self.opener.open(data, self.settings.max_side))
        if self.free is None:
            return self.preparer.prepare(photo)
        seen = self.free.prepare(photo)
        shows_face = bool(seen.faces or seen.rejected)
        if not shows_face and not is_sampled(sha256, self.settings.prefilter_sample or 0):
            return PreparedPhoto(seen.photo, shows_face=False)
        return replace(self.preparer.prepare(photo), shows_face=shows_face)

    def check(self, requirements: WorkerRequirements) -> None:
        """Raise EngineError for another release or other weights, SourceError if the probe cannot be read here."""
        check_release(requirements, self.preparer.weights)
        probe = requirements.probe
        if self.is_checked or probe is None:
            return
        try:
            head = self.source.head(probe.ref, len(probe.head))
        except (PhotoError, SourceError) as error:
            raise SourceError(f'"{display(probe.ref.uri)}" cannot be read there. {error}') from error
        if head != probe.head:
            raise SourceError(f'"{display(probe.ref.uri)}" has another content there.')
        self.is_checked = True

    def close(self) -> None:
        self.opener.close()


def check_release(requirements: WorkerRequirements, weights: str) -> None:
    """Raise EngineError, which names both versions, if this process runs another release or other weights."""
    own = version("face-catalog")
    if own != requirements.version:
        raise EngineError(
            f"It runs catalog {own}, and this machine runs catalog {requirements.version}.",
            remedy="Install the same release on every machine.",
        )
    if weights != requirements.weights:
        raise EngineError(
            f'It has the weights "{weights}", and this machine has "{requirements.weights}".',
            remedy="Install the same release on every machine.",
        )


@dataclass(slots=True)
class _OpenPreparations:
    """The preparations of this process, the one used last at the end."""

    lock: Lock = field(default_factory=Lock)
    by_settings: OrderedDict[PreparationSettings, Preparation] = field(default_factory=OrderedDict)

    def get(self, settings: PreparationSettings, threads: int) -> Preparation:
        with self.lock:
            preparation = self.by_settings.pop(settings, None) or Preparation.open(settings, threads=threads)
            self.by_settings[settings] = preparation
            while len(self.by_settings) > _OPEN_PREPARATIONS:
                # Its decoder processes end when the last chunk that uses them is done.
                self.by_settings.popitem(last=False)[1].close()
            return preparation


_open = _OpenPreparations()


def check_worker(requirements: WorkerRequirements, *, threads: int) -> CatalogError | None:
    """The error with which this process refuses the requirements, None if it fulfils them."""
    try:
        _open.get(requirements.settings, threads).check(requirements)
    except (EngineError, SourceError) as error:
        return _sendable(error)
    return None


def prepare_chunk(chunk: PreparationChunk, *, threads: int) -> ChunkResult:
    """Prepare the photos of a chunk. Errors of photos are part of the result."""
    refusal = check_worker(chunk.requirements, threads=threads)
    if refusal is not None:
        return ChunkResult(refusal=refusal)
    preparation = _open.get(chunk.requirements.settings, threads)
    began = time.monotonic()
    results = tuple(preparation.prepare(photo) for photo in chunk.photos)
    return ChunkResult(results, time.monotonic() - began)


def _sendable(error: CatalogError) -> CatalogError:
    """The error without its cause and traceback, which may not be picklable."""
    return type(error)(str(error), remedy=error.remedy)
