"""Explanations, suggestions, re-clustering and forgetting."""

from __future__ import annotations

from catalog.app import people
from catalog.app.resources import Resources
from catalog.domain.errors import AmbiguousPersonError, PersonError
from catalog.identities.assignment import explain as explaining
from catalog.identities.assignment import recluster_apply, recluster_plan, suggestions
from catalog.identities.assignment.explain import Explanation
from catalog.identities.assignment.recluster_apply import ReclusterResult
from catalog.identities.assignment.recluster_plan import ReclusterPlan
from catalog.identities.assignment.suggestions import Suggestion
from catalog.identities.decisions import forget as forgetting
from catalog.identities.decisions.forget import ForgetReceipt
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


def recluster(resources: Resources) -> ReclusterPlan:
    return recluster_plan.plan_recluster(
        resources.database, resources.engine, resources.rules, gallery=resources.gallery
    )


def apply_recluster(resources: Resources, plan: ReclusterPlan) -> ReclusterResult:
    return recluster_apply.apply_recluster(resources.database, plan, resources.stamp())


def forget(resources: Resources, person: str) -> ForgetReceipt:
    try:
        with resources.database.read() as connection:
            row = find_person(connection, person)
    except AmbiguousPersonError:
        raise
    except PersonError:
        receipt = forgetting.finish_forgetting(resources.database, resources.engine, person, gallery=resources.gallery)
        if receipt is None:
            raise
        return receipt
    return forgetting.forget_person(
        resources.database, resources.engine, row, resources.stamp(), gallery=resources.gallery
    )
