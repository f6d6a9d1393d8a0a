"""Common-component removal: subtract mean vectors that many faces share before comparing faces.

The embedding network separates adults well and small children badly. Two different children of up to three years have
a mean cosine of 0.4 and more; two people of LFW have 0.1. With a threshold fitted on adults, most children would be
one person. The component that children share is their mean vector. After it is subtracted from every vector, children
are separated, and adults, who have little of this component, are separated as before. ``weights/MODELS.md`` has the
measurements. Common-component removal is known from word vectors: Arora et al. 2017, *A Simple but Tough-to-Beat
Baseline for Sentence Embeddings*; Mu and Viswanath 2018, *All-but-the-Top*.

The means of two further groups, whose different people match most often, are removed in part. The share that is removed
is a compromise: what separates these groups better separates all others a little worse.

Galleries store the network's own unit vectors. The components are removed on reading, so a better basis needs no new
enrollment.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray

from catalog.engines.local.networks import WEIGHTS, read_checked

Floats = NDArray[np.float32]
COMPONENTS_FILE = "common_looks.json"


def remove_common_components(vectors: Floats) -> Floats:
    """Return unit vectors, float32 (n, 128), without the shipped common components, for comparing faces.

    The length of a result, 0 to 1, is the square root of the length that remains after subtraction, so the dot product
    of a face with itself is below 1. At length 1, a small remainder (a child's face) would count as much as a whole
    face, noise included. At the remaining length, a child would rarely be found again. The square root lies between:
    different children then match about as rarely as different adults.
    """
    return remove_components(_basis(), vectors)


def remove_components(basis: Floats, vectors: Floats) -> Floats:
    """Do the same with ``basis``, float32 (128, k), as :func:`basis_of` returns it."""
    remainders = vectors - (vectors @ basis) @ basis.T
    lengths = np.linalg.norm(remainders, axis=1, keepdims=True)
    return np.asarray(remainders / np.sqrt(np.maximum(lengths, 1e-12)), dtype=np.float32)


@cache
def _basis() -> Floats:
    components = json.loads(read_checked(COMPONENTS_FILE, WEIGHTS)).values()
    return basis_of([component["mean"] for component in components], [component["share"] for component in components])


def basis_of(means: Sequence[Sequence[float]], shares: Sequence[float] | None = None) -> Floats:
    """Return orthogonal columns, float32 (128, k), for k mean vectors.

    The first n columns span the first n means. The length of a column is the square root of the share, 0 to 1, that is
    removed of the part of the mean that no earlier mean has: by default all of it.
    """
    columns = np.linalg.qr(np.asarray(means, np.float64).T)[0]
    if shares is not None:
        columns = columns * np.sqrt(np.asarray(shares, np.float64))
    return np.asarray(columns, dtype=np.float32)
