"""Outputs of the networks, remembered by their input: the same portraits are read by hundreds of tests."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

from catalog.engines.local.networks import Network, provider_of

computed = Network.run
"""The method that always computes."""

_MOST_BYTES = 200 << 20
"""Bytes of remembered outputs; the longest unused are dropped first."""

Outputs = list[NDArray[np.float32]]


class RememberedNetworks:
    """``run`` stands for :meth:`Network.run`. An input that this process has seen is not computed again.

    Another provider computes it again.
    """

    def __init__(self) -> None:
        self._outputs: OrderedDict[tuple[object, ...], Outputs] = OrderedDict()
        self._bytes = 0
        self._lock = Lock()

    def run(self, network: Network, *batches: NDArray[Any]) -> Outputs:
        key = (network, provider_of(network.file), *map(_digest, batches))
        with self._lock:
            outputs = self._outputs.get(key)
            if outputs is not None:
                self._outputs.move_to_end(key)
        if outputs is None:
            outputs = computed(network, *batches)
            self._remember(key, outputs)
        return [output.copy() for output in outputs]  # a caller may change its arrays

    def _remember(self, key: tuple[object, ...], outputs: Outputs) -> None:
        with self._lock:
            if key in self._outputs:
                return  # another thread computed the same
            self._outputs[key] = outputs
            self._bytes += _size(outputs)
            while self._bytes > _MOST_BYTES:
                _, dropped = self._outputs.popitem(last=False)
                self._bytes -= _size(dropped)


def _size(outputs: Outputs) -> int:
    return sum(output.nbytes for output in outputs)


def _digest(batch: NDArray[Any]) -> tuple[object, ...]:
    content = hashlib.blake2b(np.ascontiguousarray(batch).data, digest_size=16).digest()
    return batch.shape, batch.dtype.str, content
