"""Group means whose neighbor graph is computed on a cluster, row block by row block.

The blocks are those of one machine. Products may differ in their last bit, because the number of threads orders the
sums. Clustering computes its own sums, and edges only propose pairs, so that the persons are the same.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, Protocol

from catalog.domain.engine import Engine, GroupMeans, NeighborEdges
from catalog.engines.delegating import DelegatingEngine
from catalog.engines.neighbor_edges import NearPairs, near_pairs_of_blocks, row_blocks, unique_edges

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

LEAST_FACES = 20_000
"""Fewer faces are compared on this machine: 400 million pairs take it a few seconds."""

_TASK_CELLS = 1 << 29
"""Pairs of one task: about two seconds of one core."""

_OPEN_TASKS_PER_THREAD = 3


class ComputingCluster(Protocol):
    """Workers that call pure functions."""

    @property
    def threads(self) -> int:
        """Calls at the same time."""

    def share(self, value: Any) -> Any:
        """Send a value to every worker. The result stands for it in the arguments of :meth:`run`."""

    def run(self, function: Callable[..., Any], *arguments: Any) -> Future[Any]:
        """Call a function of an importable module on any worker. The future raises EngineError."""


class ClusterGroupMeans:
    """Implements ``GroupMeans``; everything but large neighbor graphs is computed here."""

    def __init__(self, inner: GroupMeans, cluster: ComputingCluster) -> None:
        self._inner = inner
        self._cluster = cluster

    def neighbor_edges(self, face_ids: Sequence[str], *, per_face: int, floor: float) -> NeighborEdges:
        if len(face_ids) < LEAST_FACES:
            return self._inner.neighbor_edges(face_ids, per_face=per_face, floor=floor)
        return unique_edges(self._near_pairs(face_ids, per_face, floor), len(face_ids), per_face)

    def group_vectors(self, face_ids: Sequence[str]) -> NDArray[np.float32]:
        return self._inner.group_vectors(face_ids)

    def similarities(self, values: Sequence[float]) -> list[float]:
        return self._inner.similarities(values)

    def _near_pairs(self, face_ids: Sequence[str], per_face: int, floor: float) -> Iterator[NearPairs]:
        """Near pairs in the order of the rows. A bounded number of tasks is open."""
        vectors = self._cluster.share(self._inner.group_vectors(face_ids))
        running: deque[Future[list[NearPairs]]] = deque()
        for blocks in _tasks(len(face_ids)):
            running.append(self._cluster.run(near_pairs_of_blocks, vectors, blocks, per_face, floor))
            if len(running) >= max(_OPEN_TASKS_PER_THREAD * self._cluster.threads, 2):
                yield from running.popleft().result()
        while running:
            yield from running.popleft().result()


class ClusterMeansEngine(DelegatingEngine):
    """The inner engine, except that its neighbor graph is computed on a cluster."""

    def __init__(self, inner: Engine, cluster: ComputingCluster) -> None:
        super().__init__(inner)
        self._cluster = cluster

    @property
    def group_means(self) -> GroupMeans | None:
        means = self.inner.group_means
        return None if means is None else ClusterGroupMeans(means, self._cluster)


def _tasks(count: int) -> Iterator[list[tuple[int, int]]]:
    """Consecutive blocks of rows, as many as make one task."""
    blocks: list[tuple[int, int]] = []
    cells = 0
    for start, length in row_blocks(count):
        blocks.append((start, length))
        cells += length * (count - start)
        if cells >= _TASK_CELLS:
            yield blocks
            blocks, cells = [], 0
    if blocks:
        yield blocks
