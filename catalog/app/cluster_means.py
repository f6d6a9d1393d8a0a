"""Group means whose neighbor graph is computed on a cluster, square by square.

A task compares two spans of faces. Its result, the nearest faces of each, grows with the sides of the square and its
work with the area. Products may differ in their last bit, because processors differ. Clustering computes its own sums,
and edges only propose pairs, so that the persons are the same.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, Protocol

from catalog.domain.engine import Engine, GroupMeans, NeighborEdges
from catalog.domain.nearest_lists import Keys
from catalog.engines.delegating import DelegatingEngine
from catalog.engines.neighbor_edges import FaceLists, Span, nearest_of_spans, spans_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

LEAST_FACES = 20_000
"""Fewer faces are compared on this machine: 400 million pairs take it a few seconds."""

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
        lists = FaceLists((0, len(face_ids)), per_face, floor)
        for parts in self._nearest_of_tasks(face_ids, lists, per_face, floor):
            lists.add(parts)
        return lists.edges()

    def group_vectors(self, face_ids: Sequence[str]) -> NDArray[np.float32]:
        return self._inner.group_vectors(face_ids)

    def similarities(self, values: Sequence[float]) -> list[float]:
        return self._inner.similarities(values)

    def _nearest_of_tasks(
        self, face_ids: Sequence[str], lists: FaceLists, per_face: int, floor: float
    ) -> Iterator[list[tuple[int, Keys]]]:
        """The result of each task, in order. A bounded number of tasks is open."""
        vectors = self._cluster.share(self._inner.group_vectors(face_ids))
        running: deque[Future[list[tuple[int, Keys]]]] = deque()
        for rows, columns in _squares(len(face_ids), self._cluster.threads):
            # Bounds of this moment: a task leaves out what the lists would not take.
            bounds = (lists.bounds(rows), lists.bounds(columns))
            running.append(self._cluster.run(nearest_of_spans, vectors, (rows, columns), bounds, per_face, floor))
            if len(running) >= max(_OPEN_TASKS_PER_THREAD * self._cluster.threads, 2):
                yield running.popleft().result()
        while running:
            yield running.popleft().result()


class ClusterMeansEngine(DelegatingEngine):
    """The inner engine, except that its neighbor graph is computed on a cluster."""

    def __init__(self, inner: Engine, cluster: ComputingCluster) -> None:
        super().__init__(inner)
        self._cluster = cluster

    @property
    def group_means(self) -> GroupMeans | None:
        means = self.inner.group_means
        return None if means is None else ClusterGroupMeans(means, self._cluster)


def _squares(count: int, threads: int) -> Iterator[tuple[Span, Span]]:
    """Spans of faces to compare. The squares of the diagonal, which fill the lists, come first."""
    spans = list(spans_of(count, threads))
    for distance in range(len(spans)):
        yield from zip(spans, spans[distance:], strict=False)
