"""Array types of clustering."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Numbers = NDArray[np.int32]
"""Numbers of groups, where there are many."""
Pairs = tuple[Numbers, Numbers]
"""Two columns of numbers."""
Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Vectors = NDArray[np.float32]
"""One vector per row."""
