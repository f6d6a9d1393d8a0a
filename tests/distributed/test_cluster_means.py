"""The neighbor graph of a cluster has the edges of one machine, and the persons are the same."""

from __future__ import annotations

import numpy as np
import pytest

import catalog
from catalog.app import cluster_means
from catalog.app.cluster_means import ClusterGroupMeans
from catalog.engines.neighbor_edges import neighbor_edges


class MadeMeans:
    """Vectors of 160 people with 60 faces each: three buckets."""

    def __init__(self):
        rng = np.random.default_rng(3)
        vectors = np.repeat(rng.standard_normal((160, 128)), 60, axis=0) + 0.8 * rng.standard_normal((9600, 128))
        self.vectors = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
        self.was_asked = False

    def neighbor_edges(self, face_ids, *, per_face, floor):
        self.was_asked = True
        return neighbor_edges(self.vectors, per_face=per_face, floor=floor)

    def group_vectors(self, face_ids):
        return self.vectors

    def similarities(self, values):
        return list(values)


@pytest.fixture(name="small_tasks")
def _small_tasks(monkeypatch):
    """Few faces are compared on the cluster too."""
    monkeypatch.setattr(cluster_means, "LEAST_FACES", 2)


def test_edges_equal_those_of_one_machine(cluster, small_tasks):
    """Pairs and their order; similarities up to rounding, because the number of threads orders the sums."""
    means = MadeMeans()
    expected = neighbor_edges(means.vectors, per_face=10, floor=0.3)
    ids = [str(number) for number in range(len(means.vectors))]
    edges = ClusterGroupMeans(means, cluster).neighbor_edges(ids, per_face=10, floor=0.3)
    assert edges.first.tolist() == expected.first.tolist()
    assert edges.second.tolist() == expected.second.tolist()
    assert edges.similarity == pytest.approx(expected.similarity, abs=1e-6)
    assert len(edges.first) > 10_000
    assert not means.was_asked


def test_few_faces_are_compared_here(cluster):
    means = MadeMeans()
    assert len(ClusterGroupMeans(means, cluster).neighbor_edges(["a", "b"], per_face=10, floor=0.3).first)
    assert means.was_asked


def test_recluster_on_a_cluster_gives_the_same_plan(cluster, scan, many, tmp_path, small_tasks):
    """Persons of a scan and of a clustering from scratch are those of one process."""
    database = tmp_path / "catalog.sqlite3"
    scan(str(database), many, cluster, scan__stacks=False)  # the photos of each man are copies in other sizes
    with catalog.open(database) as opened:
        assert sorted(person.faces for person in opened.people()) == [8, 8, 8]
        assert opened.recluster(cluster=cluster) == opened.recluster()
