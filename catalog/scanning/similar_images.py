"""Which photos show one exposure: proposals by image, whatever the names of the files."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from catalog.domain.stack_evidence import StackEvidence
from catalog.scanning.stack_links import StackLink, are_two_exposures
from catalog.store.stack_rows import StackMember

SIMILAR_BITS = 20
"""Most bits, of 256, in which the hashes of two files with unrelated names differ.

Measured on LFW: half the size at JPEG quality 60 differs in 18 at most. Of 5,073 photos, two pairs differ in fewer than
21: both show one exposure."""
MAX_ASPECT_DIFFERENCE = 0.02
"""Greatest relative difference of the aspect ratios of two files with unrelated names."""

_NEIGHBORS = 6
"""Hashes that a hash is compared with in the order of each band."""
_BAND_BYTES = 2
_SORTED_BYTES = 8
"""Bytes by which hashes are sorted for a band."""


def links_by_image(members: Sequence[StackMember]) -> Iterator[StackLink]:
    """Yield the proposals for similar images, whatever the names. Faces must confirm them.

    Two files of a camera with equal sizes are never proposed: a burst looks like that.
    """
    hashed = [member for member in members if member.image_hash is not None]
    if len(hashed) < 2:
        return
    hashes = np.frombuffer(bytes.fromhex("".join(member.image_hash or "" for member in hashed)), dtype=np.uint8)
    for first, second, bits in _similar_pairs(hashes.reshape(len(hashed), -1)):
        left, right = hashed[first], hashed[second]
        if not are_two_exposures(left, right) and not _may_be_burst(left, right) and _have_one_shape(left, right):
            yield StackLink(left.photo, right.photo, StackEvidence.IMAGE, bits)


def _similar_pairs(hashes: NDArray[np.uint8]) -> Iterator[tuple[int, int, int]]:
    """Yield pairs of indexes with at most ``SIMILAR_BITS`` different bits, each pair once, with the number of bits.

    Two similar hashes have most likely a band of 16 bits in common. For each band the hashes are sorted, that band
    first, and each is compared with the next few. Never all pairs.
    """
    linked_pairs: set[tuple[int, int]] = set()
    width = hashes.shape[1]
    for start in range(0, width, _BAND_BYTES):
        rotated = np.ascontiguousarray(np.roll(hashes, -start, axis=1)[:, :_SORTED_BYTES])
        order = np.argsort(rotated.view(">u8").ravel(), kind="stable")
        for step in range(1, min(_NEIGHBORS, len(order) - 1) + 1):
            first, second = order[:-step], order[step:]
            in_band = (rotated[first, :_BAND_BYTES] == rotated[second, :_BAND_BYTES]).all(axis=1)
            first, second = first[in_band], second[in_band]
            bits = np.bitwise_count(hashes[first] ^ hashes[second]).sum(axis=1, dtype=np.int64)
            is_similar = bits <= SIMILAR_BITS
            for left, right, number in zip(
                first[is_similar].tolist(), second[is_similar].tolist(), bits[is_similar].tolist(), strict=True
            ):
                pair = (min(left, right), max(left, right))
                if pair not in linked_pairs:
                    linked_pairs.add(pair)
                    yield *pair, number


def _may_be_burst(left: StackMember, right: StackMember) -> bool:
    is_of_camera = left.camera_make is not None and right.camera_make is not None
    return is_of_camera and (left.width, left.height) == (right.width, right.height)


def _have_one_shape(left: StackMember, right: StackMember) -> bool:
    aspect, other_aspect = left.width / left.height, right.width / right.height
    return abs(aspect / other_aspect - 1) <= MAX_ASPECT_DIFFERENCE
