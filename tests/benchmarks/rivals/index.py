"""The approximate index for ``search.py --index``. Runs in its own environment and imports nothing of catalog.

    python index.py VECTORS.npy PROBES.npy FLOOR LIMIT

Builds usearch's index (HNSW, Malkov and Yashunin 2018) over the vectors on two threads, looks each probe up, and
prints JSON: seconds to build, milliseconds a probe, recall against exact search, bytes of the index.
"""

from __future__ import annotations

import json
import sys
import time

import numpy as np


def run(vectors: np.ndarray, probes: np.ndarray, floor: float, limit: int) -> None:
    from usearch.index import Index

    index = Index(ndim=vectors.shape[1], metric="ip", dtype="f16", connectivity=16, expansion_add=128)
    started = time.perf_counter()
    index.add(np.arange(len(vectors)), vectors, threads=2)
    built = time.perf_counter() - started
    for expansion in (64, 256, 1024):
        index.expansion_search = expansion
        seconds, hits, expected = [], 0, 0
        for probe in probes:
            started = time.perf_counter()
            matches = index.search(probe, limit)
            seconds.append(time.perf_counter() - started)
            exact = vectors @ probe
            best = np.argsort(-exact, kind="stable")[:limit]
            best = best[exact[best] >= floor]
            expected += len(best)
            hits += len(np.intersect1d(best, matches.keys))
        answer = {
            "expansion": expansion,
            "built": built,
            "median": 1000 * float(np.median(seconds)),
            "percentile_95": 1000 * float(np.percentile(seconds, 95)),
            "recall": hits / max(expected, 1),
            "bytes": int(index.memory_usage),
        }
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    run(np.load(sys.argv[1]), np.load(sys.argv[2]), float(sys.argv[3]), int(sys.argv[4]))
