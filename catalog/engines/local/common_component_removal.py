"""What sets a face apart: face vectors without what many faces have in common.

The embedding network learned to tell adults apart. To it all small children look alike: two strangers of up to three
years have a mean cosine of 0.4 and more, where two people of LFW have 0.1, so that by a bar fitted on adults most of
them would be one person. What the children have in common is their mean vector. Taken out of every vector, it no longer
makes anybody alike, and adults, who have next to nothing of it, are told apart as before (``weights/MODELS.md`` says
how well). Removing common components is known from word vectors: Arora et al. 2017, *A Simple but Tough-to-Beat
Baseline for Sentence Embeddings*; Mu and Viswanath 2018, *All-but-the-Top*.

Galleries keep the network's own unit vectors; this is done to them whenever they are read, so that it can be improved
without enrolling anybody again.
"""

from __future__ import annotations

import json
from functools import cache

import numpy as np
from numpy.typing import NDArray

from catalog.engines.local.networks import WEIGHTS, read_checked

Floats = NDArray[np.float32]


def remove_common_components(vectors: Floats) -> Floats:
    """Of unit vectors, float32 (n, 128), what their faces do not share with many others, for comparing.

    The length of a result, 0 to 1, is the square root of what was left; so a face has less than 1 with itself. At full
    length little that is left, of a child's face for example, would count as much as the whole of another face, noise
    included; at the length that was left, a child would hardly be found again. In between, small children pass for one
    another hardly more often than adults.
    """
    return without(_basis(), vectors)


def without(basis: Floats, vectors: Floats) -> Floats:
    """The same with another basis, float32 (128, k) of orthonormal columns, than the one that ships."""
    own = vectors - (vectors @ basis) @ basis.T
    left = np.linalg.norm(own, axis=1, keepdims=True)
    return np.asarray(own / np.sqrt(np.maximum(left, 1e-12)), dtype=np.float32)


@cache
def _basis() -> Floats:
    """What is taken out: columns of an orthonormal (128, k) that span the mean looks."""
    return basis_of(list(json.loads(read_checked("common_looks.json", WEIGHTS)).values()))


def basis_of(looks: list[list[float]]) -> Floats:
    """An orthonormal basis, float32 (128, k), of what ``looks``, k mean vectors, span."""
    return np.linalg.qr(np.asarray(looks, np.float64).T)[0].astype(np.float32)
