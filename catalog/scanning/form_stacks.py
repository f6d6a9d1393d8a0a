"""Form stacks after a scan: decide which photos show one exposure, and which of them counts.

Faces confirm what images propose: each face of the smaller photo must be on the larger one, at the same position and of
the same person. A user's decisions that a photo stands alone, or that photos are one exposure, are never overridden.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy import Connection

from catalog.domain.apple_library import apple_asset
from catalog.domain.decisions import PhotosPayload, Verb
from catalog.domain.photo_date import PhotoDate
from catalog.domain.same_face import EDITED_PHOTO, match_pairs
from catalog.domain.stack_evidence import StackedPhoto, StackEvidence
from catalog.domain.stack_names import stack_name
from catalog.domain.taken_at import DateSource, parse_date_text
from catalog.domain.timestamps import utc_text
from catalog.domain.uri import entry_name
from catalog.scanning.similar_images import links_by_image
from catalog.scanning.stack_links import (
    StackLink,
    are_two_exposures,
    links_by_library,
    links_by_names,
    links_of_user,
)
from catalog.store.database import Database
from catalog.store.decision_rows import read_decisions
from catalog.store.stack_rows import (
    PhotoFace,
    StackMember,
    counts_now,
    faces_of_photos,
    photos_not_sent,
    queue_for_enrollment,
    read_members,
    read_stack_state,
    replace_stacked,
    write_stack_state,
)

VERSION = 2
"""Increased when the rules change, so that stacks are formed again."""

_PRIORITY = {StackEvidence.NAME: 0, StackEvidence.EDIT: 1, StackEvidence.IMAGE: 2, StackEvidence.USER: 3}
_BY_USER = (DateSource.USER, DateSource.ESTIMATE)


def form_stacks(database: Database, *, enabled: bool) -> bool:
    """Form all stacks again, unless photos, locations, decisions and the setting are those of the last time.

    Without ``enabled`` every photo counts. Photos that were not sent to a paid engine because of a stack that does not
    exist any more are queued for enrollment. Returns whether stacks were formed.
    """
    with database.read() as connection:
        state = _state(connection, enabled)
        if read_stack_state(connection) == state:
            return False
    with database.begin() as connection:
        stacked = _stacks(connection) if enabled else []
        replace_stacked(connection, stacked)
        not_sent = photos_not_sent(connection)
        counted = {row.photo: row.counted for row in stacked}
        # A photo that counts must be in the gallery, and so must one whose stack was not sent at all.
        queue_for_enrollment(connection, [photo for photo in not_sent if counted.get(photo, photo) in not_sent])
        write_stack_state(connection, _state(connection, enabled))
    return True


def decided_stacks(connection: Connection) -> tuple[set[str], list[list[str]]]:
    """Return what users decided: photos that stand alone, and photos that are one exposure, by content hash.

    Of two decisions about a photo the later one holds.
    """
    parted: set[str] = set()
    joined: list[list[str]] = []
    for decision in read_decisions(connection, verbs=[Verb.PART, Verb.JOIN]):
        if decision.undone_by is not None or not isinstance(decision.payload, PhotosPayload):
            continue
        contents = decision.payload.photos
        if decision.verb is Verb.JOIN:
            parted.difference_update(contents)
            joined.append(list(contents))
        else:
            parted.update(contents)
            joined = [[sha256 for sha256 in group if sha256 not in parted] for group in joined]
    return parted, joined


def _with_own_times(connection: Connection, members: Sequence[StackMember]) -> list[StackMember]:
    """The photos with the dates of their files in place of those that users decided.

    One date for a whole folder must not make one exposure of a burst. A photo whose file has no date keeps the user's.
    """
    if not any(member.taken_at_source in _BY_USER for member in members):
        return list(members)
    own: dict[str, PhotoDate] = {}
    for decision in read_decisions(connection, verbs=[Verb.DATE]):
        for date in decision.before.dates:
            if date.source not in _BY_USER and date.date is not None:
                own.setdefault(date.sha256, date)
    return [
        _dated(member, own[member.sha256]) if member.taken_at_source in _BY_USER and member.sha256 in own else member
        for member in members
    ]


def _dated(member: StackMember, date: PhotoDate) -> StackMember:
    moment, offset, precision = parse_date_text(date.date or "")
    return member._replace(
        taken_at=utc_text(moment), taken_at_offset=offset, taken_at_source=date.source, taken_at_precision=precision
    )


def _state(connection: Connection, enabled: bool) -> str:
    return f"{VERSION} {counts_now(connection)}" if enabled else "off"


def _stacks(connection: Connection) -> list[StackedPhoto]:
    parted, joined = decided_stacks(connection)
    shown = [member for member in read_members(connection) if member.sha256 not in parted]
    members = {member.photo: member for member in _with_own_times(connection, shown)}
    links = [*links_by_names(list(members.values())), *links_by_library(shown), *links_of_user(shown, joined)]
    by_image = list(links_by_image(list(members.values())))
    proposed = {photo for link in by_image for photo in (link.one, link.other)}
    faces = faces_of_photos(connection, proposed)
    links += [link for link in by_image if _have_same_faces(members[link.one], members[link.other], faces)]
    not_sent = photos_not_sent(connection)
    evidence: dict[int, StackEvidence] = {}
    # The evidence that is written last is shown: a certain one, then the surest.
    for link in sorted(links, key=lambda link: (link.is_certain, -_PRIORITY[link.evidence])):
        evidence[link.one] = evidence[link.other] = link.evidence
    stacked: list[StackedPhoto] = []
    for stack in _joined(links, members):
        counted = min(stack, key=lambda photo: _rank(members[photo], photo in not_sent))
        stacked += [StackedPhoto(photo, counted, evidence[photo]) for photo in stack if photo != counted]
    return stacked


def _have_same_faces(left: StackMember, right: StackMember, faces: Mapping[int, Sequence[PhotoFace]]) -> bool:
    """Return whether each face of the smaller photo is on the larger one, in one gallery, and there is one."""
    small, large = sorted((left, right), key=lambda member: member.width * member.height)
    for gallery in {face.gallery for face in faces.get(small.photo, ())}:
        own = [face for face in faces[small.photo] if face.gallery == gallery]
        rivals = [face for face in faces.get(large.photo, ()) if face.gallery == gallery]
        pairs = match_pairs(own, rivals, EDITED_PHOTO, left_key=lambda face: face.box, right_key=lambda face: face.box)
        if len(pairs) == len(own) and all(_may_be_one(own[i], rivals[j]) for i, j in pairs):
            return True
    return False


def _may_be_one(face: PhotoFace, rival: PhotoFace) -> bool:
    return face.person is None or rival.person is None or face.person == rival.person


def _joined(links: Iterable[StackLink], members: Mapping[int, StackMember]) -> list[list[int]]:
    """Join photos by links, the surest first. Two exposures of a camera meet in one stack by a certain link only.

    Certain links come last, so that they join whole stacks.
    """
    stack_of: dict[int, list[int]] = {}
    for link in sorted(links, key=_order):
        stack = stack_of.setdefault(link.one, [link.one])
        other_stack = stack_of.setdefault(link.other, [link.other])
        if stack is other_stack:
            continue
        if not link.is_certain and any(
            are_two_exposures(members[one], members[two]) for one in stack for two in other_stack
        ):
            continue
        stack += other_stack
        for photo in other_stack:
            stack_of[photo] = stack
    return [stack for photo, stack in stack_of.items() if stack[0] == photo and len(stack) > 1]


def _order(link: StackLink) -> tuple[bool, int, int, int, int]:
    return link.is_certain, _PRIORITY[link.evidence], link.bits, link.one, link.other


def _rank(member: StackMember, was_not_sent: bool) -> tuple[object, ...]:
    """The photo with the lowest rank counts: sent to the gallery, present, of a camera, not edited, the largest."""
    names = [stack_name(entry_name(uri).decode("utf-8", "surrogateescape")) for uri in member.uris]
    assets = [apple_asset(uri) for uri in member.uris]
    return (
        was_not_sent,
        member.is_missing,
        member.camera_make is None,
        all(name.is_edited or (asset is not None and asset.is_edit) for name, asset in zip(names, assets, strict=True)),
        -member.width * member.height,
        all(name.copy for name in names),
        -member.size,
        member.photo,
    )
