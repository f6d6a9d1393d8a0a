"""User vectors are searched before faces: the accepted matches and the charges."""

from __future__ import annotations

from decimal import Decimal

import pytest

from catalog.domain.charges import Charge, Operation
from catalog.domain.errors import LimitReached
from catalog.domain.faces import Match
from catalog.domain.user_vectors import UserMatch, UserSearch
from catalog.engines.user_vectors_first import UserVectorsFirstEngine
from catalog.images.decode import open_image
from tests.fakes import Drawn, FakeEngine, drawing_bytes

USER_SEARCH = (Charge(Operation.SEARCH_USERS, 1, Decimal("0.001")),)


class ChosenUsers:
    """User vectors whose matches a test chooses; counts the searches."""

    def __init__(self, associated, *answers):
        self._associated = associated
        self._answers = tuple(UserMatch(*answer) for answer in answers)
        self.searches = 0

    def associated(self):
        return self._associated

    def search_face(self, face_id, threshold, limit=10):
        self.searches += 1
        return UserSearch(None, self._answers, USER_SEARCH)


@pytest.fixture
def engine():
    return FakeEngine(dollars=Decimal("0.001"))


@pytest.fixture
def faces(engine):
    """Three faces: two of one person, and one that is asked about."""
    photos = [drawing_bytes([Drawn("ann")], note=number) for number in range(3)]
    return [engine.enroll(open_image(data), f"{n:064x}").faces[0].face_id for n, data in enumerate(photos)]


def first(engine, users):
    return UserVectorsFirstEngine(engine, users, certain=99.0)


def calls(answer):
    return {charge.operation.value: charge.calls for charge in answer.charges}


def test_a_sure_user_saves_the_list(engine, faces):
    """The list has the faces of the user vector, and is no evidence against other persons."""
    answer = first(engine, ChosenUsers({"p": tuple(faces[:2])}, ("p", 99.5))).neighbors(faces[2], 50.0)
    assert answer.matches == (Match(faces[0], 99.5), Match(faces[1], 99.5))
    assert not answer.complete
    assert calls(answer) == {"SearchUsers": 1}
    assert engine.calls[Operation.SEARCH_FACES] == 0


@pytest.mark.parametrize("answers", [[], [("p", 98.9)], [("p", 99.9), ("q", 99.2)]], ids=["none", "unsure", "two"])
def test_an_unsure_answer_is_followed_by_the_list(engine, faces, answers):
    """Both are paid."""
    answer = first(engine, ChosenUsers({"p": tuple(faces[:2]), "q": ()}, *answers)).neighbors(faces[2], 50.0)
    assert answer.complete
    assert {match.face_id for match in answer.matches} == set(faces[:2])
    assert calls(answer) == {"SearchUsers": 1, "SearchFaces": 1}


@pytest.mark.parametrize("associated", [{}, "own"], ids=["no user vectors", "a face of a user vector"])
def test_useless_user_searches_are_not_made(engine, faces, associated):
    """There are no user vectors, or the face belongs to one."""
    users = ChosenUsers({"p": tuple(faces)} if associated else {})
    assert calls(first(engine, users).neighbors(faces[2], 50.0)) == {"SearchFaces": 1}
    assert users.searches == 0


def test_a_question_that_was_paid_is_told_when_the_list_fails(faces, engine):
    """Once."""

    def refuse(operation, _):
        if operation is Operation.SEARCH_FACES:
            raise LimitReached("The limit is reached.")

    engine._before = refuse
    asking = first(engine, ChosenUsers({"p": tuple(faces[:2])}))
    with pytest.raises(LimitReached):
        asking.neighbors(faces[2], 50.0)
    assert asking.take_unreported_charges() == USER_SEARCH
    assert asking.take_unreported_charges() == ()


def test_the_rest_is_the_other_engine(engine, faces):
    """Names, faces, prices."""
    asking = first(engine, ChosenUsers({}))
    photo = open_image(drawing_bytes([Drawn("bob")]))
    assert (asking.name, asking.model) == (engine.name, engine.model)
    assert asking.analyze(photo).faces == engine.analyze(photo).faces
    (added,) = asking.enroll(photo, "ff" * 32).faces
    assert asking.search(photo, 80.0).matches[0].face_id == added.face_id
    assert len(asking.compare(photo, photo, 80.0).matches) == 1
    assert len(list(asking.enrolled())) == 4
    assert asking.remove([added.face_id]) == {added.face_id}
    assert asking.quote(Operation.INDEX_FACES, 2) == engine.quote(Operation.INDEX_FACES, 2)
