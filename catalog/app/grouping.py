"""Explanations, suggestions, re-clustering and forgetting."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from catalog.app import people
from catalog.app.cluster_means import ClusterMeansEngine, ComputingCluster
from catalog.app.resources import Resources
from catalog.domain.errors import AmbiguousPersonError, PersonError
from catalog.exchange.region_names import read_region_names
from catalog.identities.assignment import explain as explaining
from catalog.identities.assignment import recluster_apply, recluster_plan, suggestions
from catalog.identities.assignment.explain import Explanation
from catalog.identities.assignment.recluster_apply import ReclusterResult
from catalog.identities.assignment.recluster_plan import ReclusterPlan
from catalog.identities.assignment.suggestions import Suggestion
from catalog.identities.decisions import forget as forgetting
from catalog.identities.decisions.forget import ForgetReceipt
from catalog.identities.matching.references_of_person import delete_references_of
from catalog.store.catalogued_faces import CataloguedFace, faces_of_person
from catalog.store.named_faces import photos_with_faces
from catalog.store.people import find_person


def explain(resources: Resources, face_id: str, limit: int) -> Explanation:
    face = people.face(resources, face_id)
    return explaining.explain(resources.database, resources.engine, resources.rules, face, limit=limit)


def suggest(resources: Resources, person: str | None, limit: int) -> tuple[Suggestion, ...]:
    about = None
    if person is not None:
        with resources.database.read() as connection:
            about = find_person(connection, person)
    return tuple(
        suggestions.suggest(
            resources.database,
            resources.engine,
            resources.rules,
            gallery=resources.gallery,
            limit=limit,
            person=about,
        )
    )


def recluster(resources: Resources, cluster: ComputingCluster | None = None) -> ReclusterPlan:
    engine = resources.engine if cluster is None else ClusterMeansEngine(resources.engine, cluster)
    return recluster_plan.plan_recluster(resources.database, engine, resources.rules, gallery=resources.gallery)


def apply_recluster(resources: Resources, plan: ReclusterPlan) -> ReclusterResult:
    return recluster_apply.apply_recluster(resources.database, plan, resources.stamp())


def forget(resources: Resources, person: str) -> ForgetReceipt:
    try:
        with resources.database.read() as connection:
            row = find_person(connection, person)
            faces = faces_of_person(connection, row)
    except AmbiguousPersonError:
        raise
    except PersonError:
        receipt = forgetting.finish_forgetting(resources.database, resources.engine, person, gallery=resources.gallery)
        if receipt is None:
            raise
        return receipt
    files = _files_naming(resources, faces)
    # First, because they are found by the faces. After a kill the same command does the rest.
    references = delete_references_of(
        resources.database, resources.engine, resources.open_photo, faces, resources.stamp()
    )
    receipt = forgetting.forget_person(
        resources.database, resources.engine, row, resources.stamp(), gallery=resources.gallery
    )
    return replace(
        receipt,
        watch_references=references.of_watch_list,
        employee_references=references.of_employees,
        unchecked_references=references.unchecked,
        files=files,
    )


def _files_naming(resources: Resources, faces: Sequence[CataloguedFace]) -> tuple[str, ...]:
    """Sidecars, photos and other files that name one of these faces, whatever the name is."""
    contents = {face.sha256 for face in faces}
    face_ids = {face.face_id for face in faces}
    with resources.database.read() as connection:
        photos = [photo for photo in photos_with_faces(connection) if photo.sha256 in contents]
    names = (name for photo in read_region_names(photos) for name in photo.names)
    return tuple(dict.fromkeys(name.file for name in names if name.face.face_id in face_ids))
