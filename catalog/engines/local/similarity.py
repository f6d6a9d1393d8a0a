"""How alike two faces are, from 0 to 100 as Amazon Rekognition means it, from the dot product of what sets them apart.

The dot product is called cosine here, which it nearly is: the vectors of :mod:`.distinctive` are a little shorter than
1. A logistic curve through two measured points: the cosine that one pair of strangers in 1,000 reaches becomes 80, the
cosine that one in 100,000 reaches becomes 99. MODELS.md says on which photos they were measured and how well they hold
on people left out.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

_SAME = 0.8
"""What an adult's face has with itself, and more: 0.83 is the least of LFW's. A small child's has 0.53 to 0.92, and may
be 99.95 similar to itself."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """A curve through (``cosine_80``, 80) and (``cosine_99``, 99), stretched to reach exactly 100 at cosine 0.8."""

    cosine_80: float
    cosine_99: float

    @property
    def _slope(self) -> float:
        return (_logit(0.99) - _logit(0.80)) / (self.cosine_99 - self.cosine_80)

    @property
    def _middle(self) -> float:
        return self.cosine_80 - _logit(0.80) / self._slope

    def similarity(self, cosine: NDArray[Any] | float) -> NDArray[np.float64]:
        """Similarity, 0 to 100, of cosines; rising."""
        clipped = np.clip(np.asarray(cosine, np.float64), -1.0, _SAME)
        return np.minimum(self._curve(clipped) * (100.0 / self._curve(np.float64(_SAME))), 100.0)

    def cosine(self, similarity: float) -> float:
        """The least cosine that a similarity stands for; -1 for 0 and below, 0.8 for 100 and above."""
        share = similarity / 100.0 * float(self._curve(np.float64(_SAME)))
        if share <= float(self._curve(np.float64(-1.0))):
            return -1.0
        return _SAME if similarity >= 100.0 else min(_SAME, self._middle + _logit(share) / self._slope)

    def _curve(self, cosine: NDArray[np.float64] | np.float64) -> NDArray[np.float64]:
        return np.asarray(1.0 / (1.0 + np.exp(-self._slope * (cosine - self._middle))))


def _logit(share: float) -> float:
    return math.log(share / (1.0 - share))


PLAIN = Calibration(cosine_80=0.3146, cosine_99=0.4273)
"""For vectors of one view of each face."""

MIRRORED = Calibration(cosine_80=0.3154, cosine_99=0.4283)
"""For vectors averaged over the face and its mirror image."""
