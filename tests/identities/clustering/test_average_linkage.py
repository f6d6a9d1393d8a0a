"""Properties of every clustering."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from catalog.identities.clustering.agglomerative import components
from catalog.identities.clustering.arrays import Ints
from catalog.identities.clustering.average_linkage import cluster_edges, cluster_means, stranger_similarity_bound
from catalog.identities.clustering.constraints import Constraints
from catalog.identities.clustering.similarity_graph import Edges, Linkage, SearchCoverage
from tests.identities.made_library import edges_of, people, vector_near

LINKAGE = Linkage(threshold=0.42, pair_penalty=0.06)
FLOOR = 0.3


@st.composite
def graphs(draw: st.DrawFn) -> tuple[int, Edges]:
    """A few faces with similarities between some of them."""
    count = draw(st.integers(2, 14))
    pairs = [(a, b) for a in range(count) for b in range(a + 1, count)]
    chosen = draw(st.lists(st.sampled_from(pairs), unique=True))
    values = draw(st.lists(st.floats(FLOOR, 1.0), min_size=len(chosen), max_size=len(chosen), unique=True).map(sorted))
    return count, edges_of((a, b, value) for (a, b), value in zip(chosen, values, strict=True))


def cluster(count: int, edges: Edges, constraints: Constraints | None = None, linkage: Linkage = LINKAGE) -> Ints:
    lists = SearchCoverage(np.ones(count, dtype=bool), np.zeros(count, dtype=np.int64))
    return cluster_edges(lists, edges, linkage, floor=FLOOR, constraints=constraints or Constraints())


def partition(labels: Ints) -> set[frozenset[int]]:
    groups: dict[int, set[int]] = {}
    for face, label in enumerate(labels.tolist()):
        groups.setdefault(label, set()).add(face)
    return {frozenset(group) for group in groups.values()}


@given(graphs(), st.data())
@settings(max_examples=150, deadline=None)
def test_must_links_hold(graph: tuple[int, Edges], data: st.DataObject) -> None:
    """However dissimilar the faces are."""
    count, edges = graph
    face = st.integers(0, count - 1)
    must = np.array(data.draw(st.lists(st.tuples(face, face), min_size=1)), dtype=np.int64)
    labels = cluster(count, edges, Constraints(must_link=must))
    assert (labels[must[:, 0]] == labels[must[:, 1]]).all()


@given(graphs(), st.data())
@settings(max_examples=150, deadline=None)
def test_cannot_links_hold(graph: tuple[int, Edges], data: st.DataObject) -> None:
    """Also by way of other faces, unless must-links connect the two."""
    count, edges = graph
    face = st.integers(0, count - 1)
    cannot = np.array(data.draw(st.lists(st.tuples(face, face), min_size=1)), dtype=np.int64)
    must = np.array(data.draw(st.lists(st.tuples(face, face))), dtype=np.int64).reshape(-1, 2)
    labels = cluster(count, edges, Constraints(must_link=must, cannot_link=cannot))
    joined = components(count, must)
    for first, second in cannot.tolist():
        assert labels[first] != labels[second] or joined[first] == joined[second]


@given(graphs(), st.data())
@settings(max_examples=150, deadline=None)
def test_separation_groups_hold(graph: tuple[int, Edges], data: st.DataObject) -> None:
    count, edges = graph
    camps = np.array(data.draw(st.lists(st.integers(-1, 3), min_size=count, max_size=count)), dtype=np.int64)
    labels = cluster(count, edges, Constraints(separation_groups=camps))
    for group in partition(labels):
        assert len({int(camps[face]) for face in group} - {-1}) <= 1


@given(graphs(), st.data())
@settings(max_examples=150, deadline=None)
def test_every_group_of_several_faces_has_a_seed_face(graph: tuple[int, Edges], data: st.DataObject) -> None:
    count, edges = graph
    seed_faces = np.array(data.draw(st.lists(st.booleans(), min_size=count, max_size=count)), dtype=bool)
    labels = cluster(count, edges, Constraints(seed_faces=seed_faces))
    assert all(len(group) == 1 or seed_faces[list(group)].any() for group in partition(labels))


@given(graphs(), st.integers(0, 1 << 30))
@settings(max_examples=150, deadline=None)
def test_the_order_of_faces_changes_nothing(graph: tuple[int, Edges], seed: int) -> None:
    """Renumbering the faces renumbers the groups, if no two similarities are equal."""
    count, edges = graph
    rng = np.random.default_rng(seed)
    edges = Edges(edges.first, edges.second, edges.similarity + rng.uniform(0, 1e-3, len(edges)))  # nothing is a tie
    order = rng.permutation(count)
    renamed = Edges.of_arrays(order[edges.first], order[edges.second], edges.similarity)
    straight = {frozenset(int(order[face]) for face in group) for group in partition(cluster(count, edges))}
    assert partition(cluster(count, renamed)) == straight


def _crowd(rng: np.random.Generator) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    centers = people(30, rng, 128)
    truth = np.repeat(np.arange(30), rng.integers(1, 9, 30))
    return np.stack([vector_near(centers[center], 0.83, rng) for center in truth]), truth


def _complete(vectors: NDArray[np.float32], floor: float) -> Edges:
    dots = vectors @ vectors.T
    first, second = np.nonzero(np.triu(dots >= floor, 1))
    return Edges(first, second, dots[first, second].astype(np.float64))


def test_searches_and_means_find_the_same_people(rng: np.random.Generator) -> None:
    """Faces around 30 centers become 30 groups."""
    vectors, truth = _crowd(rng)
    edges = _complete(vectors, FLOOR)
    expected = partition(truth)
    assert partition(cluster(len(truth), edges)) == expected
    sizes = np.ones(len(truth))
    assert (
        partition(cluster_means(vectors, sizes, (edges.first, edges.second), LINKAGE, constraints=Constraints()))
        == expected
    )


def test_an_incomplete_list_is_no_evidence_against_a_pair(rng: np.random.Generator) -> None:
    """Lists end after five faces each."""
    centers = people(2, rng, 128)
    truth = np.repeat([0, 1], 40)
    vectors = np.stack([vector_near(centers[center], 0.8, rng) for center in truth])
    dots = vectors @ vectors.T
    np.fill_diagonal(dots, -1)
    best = np.argsort(-dots, axis=1)[:, :5]
    edges = edges_of((face, int(second), float(dots[face, second])) for face in range(80) for second in best[face])
    cut = SearchCoverage(np.zeros(80, dtype=bool), np.zeros(80, dtype=np.int64))
    assert partition(cluster_edges(cut, edges, LINKAGE, floor=FLOOR, constraints=Constraints())) == partition(truth)
    full = SearchCoverage(np.ones(80, dtype=bool), np.zeros(80, dtype=np.int64))
    taken_as_unlike = cluster_edges(full, edges, LINKAGE, floor=FLOOR, constraints=Constraints())
    assert len(partition(taken_as_unlike)) > 2


def test_a_list_of_an_earlier_scan_does_not_cover_later_faces() -> None:
    """Of two faces of different epochs only the later face's list observes the pair."""
    lists = SearchCoverage(np.array([True, False, True]), np.array([1, 2, 2]))
    first, second = np.array([0, 0, 1]), np.array([1, 2, 2])
    assert lists.unobserved(first, second).tolist() == [True, False, False]


def test_a_single_pair_needs_the_whole_pair_penalty() -> None:
    """The same similarity joins a face to a large group."""
    pair = edges_of([(0, 1, 0.45)])
    assert len(partition(cluster(2, pair))) == 2
    assert len(partition(cluster(2, edges_of([(0, 1, 0.49)])))) == 1
    group = [(a, b, 0.7) for a in range(6) for b in range(a + 1, 6)] + [(a, 6, 0.45) for a in range(6)]
    assert len(partition(cluster(7, edges_of(group)))) == 1


def test_the_merge_margin_separates_two_groups_of_two() -> None:
    """Siblings: two groups of two at 0.44 merge without the margin."""
    pairs = [(0, 1, 0.7), (2, 3, 0.7)] + [(a, b, 0.45) for a in (0, 1) for b in (2, 3)]
    edges = edges_of(pairs)
    assert len(partition(cluster(4, edges))) == 1
    assert len(partition(cluster(4, edges, linkage=Linkage(0.42, 0.06, 0.04)))) == 2


def test_the_unobserved_margin_separates_groups_with_few_observed_pairs() -> None:
    """Siblings with one searched face each; with all faces searched they merge."""
    own = [(0, 1, 0.7), (1, 2, 0.7), (0, 2, 0.7), (3, 4, 0.7), (4, 5, 0.7), (3, 5, 0.7)]
    edges = edges_of(own + [(a, b, 0.45) for a in (0, 1, 2) for b in (3, 4, 5) if 0 in (a, b) or 3 in (a, b)])
    night = np.zeros(6, dtype=np.int64)
    best = np.isin(np.arange(6), (0, 3))

    def groups(complete: NDArray[np.bool_], between: Edges, doubt: float) -> int:
        linkage = Linkage(0.42, 0.06, unobserved_margin=doubt)
        lists = SearchCoverage(complete, night)
        return len(partition(cluster_edges(lists, between, linkage, floor=FLOOR, constraints=Constraints())))

    everything = edges_of(own + [(a, b, 0.45) for a in (0, 1, 2) for b in (3, 4, 5)])
    assert groups(best, edges, doubt=0.0) == 1
    assert groups(best, edges, doubt=0.08) == 2
    assert groups(np.ones(6, dtype=bool), everything, doubt=0.08) == 1


def test_similar_strangers_raise_the_linkage(rng: np.random.Generator) -> None:
    """Thirty people with a common component stay thirty; the usual thresholds merge some of them."""
    vectors, truth = _crowd(rng)
    family = people(1, rng, 128)[0]
    relatives = np.sqrt(0.3) * family + np.sqrt(0.7) * vectors
    relatives = (relatives / np.linalg.norm(relatives, axis=1, keepdims=True)).astype(np.float32)
    edges, sizes = _complete(relatives, FLOOR), np.ones(len(truth))
    pairs = (edges.first, edges.second)
    usual = cluster_means(relatives, sizes, pairs, LINKAGE, constraints=Constraints())
    assert len(partition(usual)) < 30
    watchful = Linkage(LINKAGE.threshold, LINKAGE.pair_penalty, stranger_similarity=0.0)
    assert partition(cluster_means(relatives, sizes, pairs, watchful, constraints=Constraints())) == partition(truth)


def test_usual_strangers_keep_the_linkage() -> None:
    """Lower similarity than usual never lowers it."""
    linkage = Linkage(0.4, 0.1, 0.05, stranger_similarity=0.06)
    assert linkage.among(0.06) is linkage
    assert linkage.among(-1.0) is linkage
    assert linkage.among(0.07) is linkage
    raised = linkage.among(0.53)
    assert (raised.threshold, raised.pair_penalty, raised.merge_margin) == pytest.approx((0.7, 0.05, 0.025))


def test_the_bound_of_stranger_similarity_grows_with_the_number_of_people(rng: np.random.Generator) -> None:
    """Fewer than ten people have no bound."""
    shared = np.sqrt(0.2) * people(1, rng, 128)[0]
    vectors = (np.sqrt(0.8) * people(100, rng, 128) + shared).astype(np.float32)

    def of(count: int) -> float:
        return stranger_similarity_bound(vectors[:count], np.ones(count), np.arange(count))

    assert of(0) == of(9) == -1.0
    assert of(12) < of(100) < 0.2
    assert of(100) == pytest.approx(0.19, abs=0.02)


def test_single_faces_of_three_people_do_not_count_as_people(rng: np.random.Generator) -> None:
    """Of each person most faces are in one group, and twenty are alone."""
    truth = np.repeat(np.arange(3), 120)
    centers = people(3, rng, 128)
    vectors = np.stack([vector_near(centers[center], 0.75, rng) for center in truth])
    groups = np.arange(len(truth))
    for center in range(3):
        own = np.flatnonzero(truth == center)[20:]
        groups[own] = own[0]
    assert stranger_similarity_bound(vectors, np.ones(len(truth)), groups) == -1.0


def test_the_bound_is_the_mean_over_pairs_of_different_groups(rng: np.random.Generator) -> None:
    """For any group number, and for nodes of one face or several."""
    vectors = people(60, rng, 128)
    groups = np.repeat(np.arange(0, 60, 3), 3) + 2
    dots = vectors @ vectors.T
    expected = dots[groups[:, None] != groups[None, :]].mean() - 2 * 0.05 / np.sqrt(20)
    assert stranger_similarity_bound(vectors, np.ones(60), groups) == pytest.approx(expected, abs=1e-6)
    poured = np.add.reduceat(vectors, np.arange(0, 60, 3), axis=0)
    assert stranger_similarity_bound(poured, np.full(20, 3.0), np.arange(20)) == pytest.approx(expected, abs=1e-6)
