"""Doubtful names: names from other programs that do not fit the faces, and must not be confirmed in bulk."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence

import numpy as np
from sqlalchemy import Connection

from catalog.domain.engine import GroupMeans
from catalog.domain.people import AssignedBy
from catalog.store.catalogued_faces import CataloguedFace, catalogued_faces_by_row, faces_of_person
from catalog.store.neighbor_search_rows import are_known_apart
from catalog.store.people import persons_named

_MARGIN = 0.15
"""Groups this far below the linkage threshold, in cosine, are far apart. Not measured; the same as for suggestions."""
_MAX_REFERENCE_FACES = 50
"""Faces of a person that a named face is compared with."""

FAR_APART = "the faces with this name are far apart"
DECIDED = "a user confirmed this face as another person"


def doubtful_names(
    connection: Connection,
    group_means: Callable[[], GroupMeans] | None,
    threshold: float,
    name_by_row: Mapping[int, str],
    *,
    engine: str,
    gallery: str,
) -> dict[int, str]:
    """Return the reason by face row for names that a user should check.

    A name is doubtful for a face that a user confirmed as another person. It is doubtful for faces that are far from
    the largest group of faces with the name, groups being persons of the catalogue. If no group is the largest, all
    faces with the name are doubtful.

    ``group_means`` returns the engine's group means; it is called only if a name has several groups. Without it stored
    matches are the evidence, and no search is run. ``threshold`` is the linkage threshold, in cosine.
    """
    reasons: dict[int, str] = {}
    faces = catalogued_faces_by_row(connection, name_by_row)
    by_name: dict[str, list[CataloguedFace]] = defaultdict(list)
    for row, face in faces.items():
        if face.by is AssignedBy.HUMAN and face.name and face.name != name_by_row[row]:
            reasons[row] = DECIDED
        elif (face.engine, face.gallery) == (engine, gallery) and not face.not_a_face:
            by_name[name_by_row[row]].append(face)
    for name, named in by_name.items():
        for face in _far_apart(connection, group_means, threshold, name, named, engine):
            reasons[face.row] = FAR_APART
    doubtful_keys = [faces[row].place for row, reason in reasons.items() if reason == FAR_APART]
    for row, face in faces.items():  # the same face in another gallery
        if row not in reasons and any(face.place.same(key) for key in doubtful_keys):
            reasons[row] = FAR_APART
    return reasons


def _far_apart(
    connection: Connection,
    group_means: Callable[[], GroupMeans] | None,
    threshold: float,
    name: str,
    named: Sequence[CataloguedFace],
    engine: str,
) -> list[CataloguedFace]:
    groups: dict[str, list[CataloguedFace]] = defaultdict(list)
    for face in named:
        groups[face.person_id or face.face_id].append(face)
    confirmed = _confirmed_faces(connection, engine, name)
    if len(groups) + bool(confirmed) < 2:
        return []
    ordered = sorted(groups.values(), key=len, reverse=True)
    reference = confirmed or ordered[0]
    unconfirmed_groups = ordered if confirmed else ordered[1:]
    distant_groups = [
        group for group in unconfirmed_groups if _is_far(connection, group_means, threshold, reference, group)
    ]
    if distant_groups and not confirmed and len(distant_groups[0]) == len(reference):
        distant_groups.append(reference)
    return [face for group in distant_groups for face in group]


def _confirmed_faces(connection: Connection, engine: str, name: str) -> list[CataloguedFace]:
    """Return faces that users confirmed as the person with this name; none if several persons have the name."""
    persons = persons_named(connection, name)
    if len(persons) != 1:
        return []
    faces = faces_of_person(connection, persons[0])
    return [face for face in faces if face.by is AssignedBy.HUMAN and face.engine == engine]


def _is_far(
    connection: Connection,
    group_means: Callable[[], GroupMeans] | None,
    threshold: float,
    reference: Sequence[CataloguedFace],
    group: Sequence[CataloguedFace],
) -> bool:
    """Return True if there is evidence that two groups of faces show different persons."""
    reference, group = reference[:_MAX_REFERENCE_FACES], group[:_MAX_REFERENCE_FACES]
    if {face.row for face in reference} & {face.row for face in group}:
        return False  # a user confirmed faces of the group
    if group_means is None:
        return are_known_apart(connection, [face.row for face in reference], [face.row for face in group])
    means = group_means()
    try:
        reference_mean = means.group_vectors([face.face_id for face in reference]).mean(axis=0)
        group_mean = means.group_vectors([face.face_id for face in group]).mean(axis=0)
    except KeyError:
        return False  # the gallery does not hold the faces, so that there is no evidence
    return float(np.dot(reference_mean, group_mean)) < threshold - _MARGIN
