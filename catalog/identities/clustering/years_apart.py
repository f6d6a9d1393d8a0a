"""Years between the photos of two faces, as evidence for a question whether they show one person.

Strangers of different ages are less alike than strangers of one age. So if two faces look born at the same time, the
same similarity says more the further apart their photos are, and the question is worth more.

Measured on pairs of strangers in UTKFace with the local engine (``python -m tests.benchmarks.growing_up``): what one
pair in 1,000 reaches falls by 0.038 log-odds of similarity per year between the ages, on either half of the faces. On
the half that nothing was fitted on, similarity 80 is reached by one pair in 626 up to 3 years apart, one in 1,707 at 10
to 20 years, one in 4,309 at 30 to 40 years; with the years counted by one pair in 610 to 930 at every distance.

Persons are not merged by way of the years between. On LFW with made dates, slices of a few years that pass the linkage
rule joined 3 pairs of persons, 2 of them different people, and pairwise F fell from 0.9977 to 0.9943.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from catalog.identities.clustering.arrays import Floats, Ints
from catalog.identities.clustering.demographics import Demographics

_ODDS_PER_YEAR = 0.035
_MAX_YEARS = 40.0
"""Strangers further apart than this were hardly less alike."""


def years_apart(taken_at: Sequence[str], demographics: Demographics, node: Ints, first: Ints, second: Ints) -> Floats:
    """Years between the photos of each pair of faces; 0 unless both owners' births are known and do not conflict.

    ``first`` and ``second`` are indexes of faces, ``node`` is the row of each face's owner in ``demographics``.
    Without births the years say nothing: two strangers on photos 20 years apart may have the same age.
    """
    years = np.array([float(day[:4]) if day else np.nan for day in taken_at])
    births = demographics.births(node[first])[0] + demographics.births(node[second])[0]
    gap = np.abs(years[first] - years[second])
    is_known = np.isfinite(gap) & np.isfinite(births) & ~demographics.conflict(node[first], node[second])
    return np.where(is_known, gap, 0.0)


def odds_of_years(years: float) -> float:
    """Log-odds of similarity that the years between two photos are worth."""
    return _ODDS_PER_YEAR * min(years, _MAX_YEARS)
