"""Which photos show one exposure: proposals by name and time. ``similar_images`` makes those by image.

A proposal is never made for two photos of one camera with different times: those are two exposures, however similar
they look. All functions are pure.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import combinations

from catalog.domain.apple_library import apple_asset
from catalog.domain.local_day import DatePrecision
from catalog.domain.stack_evidence import StackEvidence
from catalog.domain.stack_names import StackName, are_one_by_name, stack_name
from catalog.domain.taken_at import DateSource
from catalog.domain.timestamps import required_time
from catalog.domain.uri import entry_name
from catalog.store.stack_rows import StackMember

BESIDE_BITS = 30
"""Most bits, of 256, in which the hashes of two files with matching names differ.

Measured on LFW: brighter by 30 % differs in 28 at most, the same view moved by 2 % in 34 (median)."""
_METADATA = frozenset(
    {None, DateSource.EXIF, DateSource.XMP, DateSource.IPTC, DateSource.EXIF_DIGITIZED, DateSource.XMP_DIGITIZED}
)
"""Sources of dates that are inside the file. None stands for a record of an earlier version, which read EXIF only."""
_LARGEST_GROUP = 300
"""Files with one root of the name in a folder. Of larger groups only names that match exactly are compared."""


@dataclass(frozen=True, slots=True)
class StackLink:
    """A proposal that two photos, by row id, show one exposure. ``bits`` is the difference of the hashes, 0 by time.

    ``is_certain``: a user or a photo library says so, and the times of the photos do not matter.
    """

    one: int
    other: int
    evidence: StackEvidence
    bits: int
    is_certain: bool = False


def have_same_time(left: StackMember, right: StackMember) -> bool:
    """Return whether the times in both files are the same second, as UTC or on the wall clock.

    Dates that a user decided are no evidence: one date may be that of a whole folder.
    """
    if DateSource.USER in (left.taken_at_source, right.taken_at_source):
        return False
    times, other_times = _times(left, right)
    return bool(times & other_times)


def are_two_exposures(left: StackMember, right: StackMember) -> bool:
    """Return whether a camera wrote different times into both files, or a user gave them different times."""
    if left.camera_make is None or right.camera_make is None:
        return False
    times, other_times = _times(left, right)
    return bool(times and other_times) and not times & other_times


def different_bits(left: StackMember, right: StackMember) -> int:
    """Return the number of different bits of the hashes; 256 if a photo has none."""
    if left.image_hash is None or right.image_hash is None:
        return 256
    return (int(left.image_hash, 16) ^ int(right.image_hash, 16)).bit_count()


def link_by_name(left: StackMember, right: StackMember, name: StackName, other_name: StackName) -> StackLink | None:
    """Return the proposal for two files of one folder and root name, None if nothing confirms the names."""
    if are_two_exposures(left, right):
        return None
    bits = different_bits(left, right)
    is_one = are_one_by_name(name, other_name)
    is_edit = name.is_edited != other_name.is_edited or name.copy != other_name.copy
    if not (bits <= BESIDE_BITS or (is_one and have_same_time(left, right))):
        return None
    evidence = StackEvidence.EDIT if is_edit else StackEvidence.NAME
    return StackLink(left.photo, right.photo, evidence, min(bits, BESIDE_BITS))


def links_by_names(members: Sequence[StackMember]) -> Iterator[StackLink]:
    """Yield the proposals for files with one root of the name in one folder."""
    groups: dict[tuple[str, str], list[tuple[StackMember, StackName]]] = defaultdict(list)
    for member in members:
        for uri in member.uris:
            name = stack_name(entry_name(uri).decode("utf-8", "surrogateescape"))
            groups[uri.rpartition("/")[0], name.root].append((member, name))
    for group in groups.values():
        if len(group) > _LARGEST_GROUP:
            for part in _by_copy(group):
                yield from _links_of_group(part)
        elif len(group) > 1:
            yield from _links_of_group(group)


def links_by_library(members: Sequence[StackMember]) -> Iterator[StackLink]:
    """Yield the links of an original of Apple Photos to its edit and its raw file. The names hold the photo's UUID."""
    first_by_asset: dict[tuple[str, str], tuple[StackMember, bool]] = {}
    for member in members:
        for uri in member.uris:
            asset = apple_asset(uri)
            if asset is None:
                continue
            first, is_edit = first_by_asset.setdefault((asset.library, asset.uuid), (member, asset.is_edit))
            if first.photo != member.photo:
                evidence = StackEvidence.EDIT if asset.is_edit or is_edit else StackEvidence.NAME
                yield StackLink(first.photo, member.photo, evidence, 0, is_certain=True)


def links_of_user(members: Sequence[StackMember], joined: Iterable[Sequence[str]]) -> Iterator[StackLink]:
    """Yield the links of photos that a user joined, by content hash. Photos that are not catalogued are left out."""
    photo_by_hash = {member.sha256: member.photo for member in members}
    for contents in joined:
        photos = [photo_by_hash[sha256] for sha256 in contents if sha256 in photo_by_hash]
        for photo in photos[1:]:
            yield StackLink(photos[0], photo, StackEvidence.USER, 0, is_certain=True)


def _by_copy(group: Sequence[tuple[StackMember, StackName]]) -> list[list[tuple[StackMember, StackName]]]:
    parts: dict[str, list[tuple[StackMember, StackName]]] = defaultdict(list)
    for item in group:
        parts[item[1].copy].append(item)
    return list(parts.values())


def _links_of_group(group: Sequence[tuple[StackMember, StackName]]) -> Iterator[StackLink]:
    for (left, name), (right, other_name) in combinations(group, 2):
        if left.photo != right.photo and (link := link_by_name(left, right, name, other_name)) is not None:
            yield link


def _times(left: StackMember, right: StackMember) -> tuple[set[str], set[str]]:
    """The times of both files by their metadata, or by a user if both dates are a user's."""
    sources = {left.taken_at_source, right.taken_at_source}
    if not (sources <= _METADATA or sources == {DateSource.USER}):
        return set(), set()
    return _exact_times(left), _exact_times(right)


def _exact_times(member: StackMember) -> set[str]:
    """The second of a date: on the wall clock, and as UTC if the offset is known. Empty for a date less exact."""
    is_exact = member.taken_at_precision in (None, DatePrecision.SECOND)
    if member.taken_at is None or not is_exact:
        return set()
    moment = required_time(member.taken_at)
    if member.taken_at_offset is None:
        return {f"{moment:%Y-%m-%dT%H:%M:%S}"}
    local = moment + timedelta(minutes=member.taken_at_offset)
    return {f"{moment:%Y-%m-%dT%H:%M:%S}Z", f"{local:%Y-%m-%dT%H:%M:%S}"}
