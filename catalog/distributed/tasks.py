"""Functions that run on workers. Their only effect is their result: Dask runs them again when workers die."""

from __future__ import annotations

from importlib.metadata import version

from distributed import Worker, get_worker

from catalog.app.photo_preparation import (
    ChunkResult,
    PreparationChunk,
    WorkerRequirements,
    check_worker,
    prepare_chunk,
)
from catalog.domain.errors import CatalogError


def release() -> str:
    """The release of catalog in this process."""
    return version("face-catalog")


def check(requirements: WorkerRequirements, dask_worker: Worker) -> CatalogError | None:
    """The error with which this worker refuses the requirements. Dask gives ``dask_worker``."""
    return check_worker(requirements, threads=dask_worker.state.nthreads)


def prepare(chunk: PreparationChunk) -> ChunkResult:
    return prepare_chunk(chunk, threads=get_worker().state.nthreads)
