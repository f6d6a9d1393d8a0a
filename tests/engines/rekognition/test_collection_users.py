"""Persons as users of the collection, over HTTP on real faces."""

from __future__ import annotations

import hashlib

import pytest

from catalog.domain.charges import Operation
from catalog.domain.errors import EngineError
from catalog.domain.user_vectors import UserVectorRules
from catalog.endpoint.fault_injection import FaultPlan
from catalog.engines.rekognition.collection_users import CollectionUsers
from catalog.images.decode import open_image
from catalog.web.endpoint_server import open_endpoint
from tests.endpoint.wire import UNKNOWN_FACE, client_of, group, no_face, portrait


def photo(data):
    return open_image(data)


def ignore(_charge):
    """Charges do not matter here."""


@pytest.fixture
def people(open_rekognition):
    """Opens an engine with four enrolled faces on a server; gives the users and the ids by portrait."""

    def make(*url, **options):
        make.engine = engine = open_rekognition(*url)
        ids = {}
        for name in ("obama_1", "obama_2", "obama_3", "biden"):
            data = portrait(name)
            ids[name] = engine.enroll(photo(data), hashlib.sha256(data).hexdigest()).faces[0].face_id
        users = CollectionUsers(
            engine._client,
            collection=engine._collection,
            rules=UserVectorRules(min_faces=1, max_faces=100),
            open_collection=lambda: engine.model,
            **options,
        )
        return users, ids

    return make


def test_persons_become_users_and_are_found(people):
    """By a face and by a photo; each call is charged."""
    users, ids = people()
    paid = []
    changes = users.match({"p1": [ids["obama_1"], ids["obama_2"]], "p2": [ids["biden"]]}, paid.append)
    assert (changes.created, changes.associated, changes.refused) == (2, 3, ())
    assert [charge.operation for charge in paid] == [Operation.ASSOCIATE_FACES] * 2
    by_face = users.search_face(ids["obama_3"], 80)
    assert [match.person_id for match in by_face.matches] == ["p1"]
    assert by_face.charges[0].operation is Operation.SEARCH_USERS
    by_image = users.search_image(photo(portrait("biden")), 80)
    assert [match.person_id for match in by_image.matches] == ["p2"]
    assert by_image.charges[0].operation is Operation.SEARCH_USERS_BY_IMAGE
    assert users.search_image(photo(no_face()), 80).probe is None


def test_the_smaller_of_two_faces_can_be_searched_for(people):
    """At its box, like a face among faces."""
    users, ids = people()
    users.match({"p1": [ids["obama_1"]], "p2": [ids["biden"]]}, ignore)
    _, smaller = people.engine.analyze(photo(group())).faces
    matches = users.search_image(photo(group()), 80, box=smaller.box)
    assert [match.person_id for match in matches.matches] == ["p2"]
    assert matches.probe.box.iou(smaller.box) > 0.5
    assert [match.person_id for match in users.search_image(photo(group()), 80).matches] == ["p1"]


def test_asking_for_the_same_again_changes_and_costs_nothing(people):
    """It compares before it acts, and comparing is free."""
    users, ids = people()
    wanted = {"p1": [ids["obama_1"], ids["obama_2"]]}
    users.match(wanted, ignore)
    paid = []
    changes = users.match(wanted, paid.append)
    assert (changes.created, changes.deleted, changes.associated, changes.disassociated) == (0, 0, 0, 0)
    assert paid == []


def test_what_is_not_wanted_any_more_goes(people):
    """Faces move from user to user; a person without faces is no user."""
    users, ids = people()
    users.match({"p1": [ids["obama_1"], ids["biden"]], "p2": [ids["obama_2"]]}, ignore)
    changes = users.match({"p1": [ids["obama_1"], ids["obama_2"]], "p3": [ids["biden"]], "p4": []}, ignore)
    assert (changes.created, changes.deleted, changes.associated, changes.disassociated) == (1, 1, 2, 1)
    assert [match.person_id for match in users.search_image(photo(portrait("biden")), 80).matches] == ["p3"]


def test_users_of_other_programs_are_left_alone(people, rekognition_url):
    """They are not deleted and not matched."""
    users, ids = people()
    client = client_of(rekognition_url)
    foreign_user = {"CollectionId": users._collection, "UserId": "somebody"}
    client.create_user(**foreign_user)
    client.associate_faces(**foreign_user, FaceIds=[ids["obama_1"]])
    changes = users.match({"p1": [ids["obama_1"], ids["obama_2"]]}, ignore)
    assert changes.refused == (ids["obama_1"],)
    assert [match.person_id for match in users.search_face(ids["obama_3"], 80).matches] == ["p1"]
    assert len(client.list_users(CollectionId=users._collection)["Users"]) == 2


def test_users_are_followed_until_active(people):
    """And not for ever."""
    with open_endpoint(plan=FaultPlan(associate_delay=1.0)) as server, server.in_background() as url:
        users, ids = people(url)
        users.match({"p1": [ids["obama_1"]]}, ignore)
        assert server.service.tally["ListUsers", ""] >= 3
        impatient = CollectionUsers(
            users._client,
            collection=users._collection,
            rules=users.rules,
            open_collection=lambda: None,
            patience_seconds=0,
        )
        with pytest.raises(EngineError, match="not active after 0 seconds"):
            impatient.match({"p1": [ids["obama_1"], ids["obama_2"]]}, ignore)


def test_faults_leave_users_as_wanted(people):
    """One call in three fails or loses its answer."""
    with open_endpoint(plan=FaultPlan(fail_rate=0.33, seed=11)) as server, server.in_background() as url:
        users, ids = people(url)
        users.match({"p1": [ids["obama_1"]], "p2": [ids["biden"]]}, ignore)
        users.match({"p1": [ids["obama_2"], ids["obama_3"]]}, ignore)
        faces_by_user = users._faces_by_user()
        assert faces_by_user == {"catalog:p1": {ids["obama_2"], ids["obama_3"]}}


def test_an_unknown_face_is_a_key_error(people):
    """As for neighbors."""
    users, _ = people()
    with pytest.raises(KeyError):
        users.search_face(UNKNOWN_FACE, 80)
