"""Answers that are lost after the work was done: asked for again, enrolled once, and counted as often as billed."""

from __future__ import annotations

import time
from decimal import Decimal

import pytest

from catalog.domain.charges import Charge, Operation
from catalog.domain.errors import EngineError, LimitReached, PhotoError
from catalog.endpoint.errors import ConnectionDropped, internal_error
from catalog.engines.prefilter import PrefilteredEngine
from catalog.engines.rekognition.budget import Budget
from catalog.images.decode import open_image
from catalog.web.endpoint_server import open_endpoint
from tests.endpoint.wire import portrait

READ_SECONDS = 1.5


@pytest.fixture
def photo():
    return open_image(portrait("obama_1"))


class Trouble:
    """Stands before an endpoint's IndexFaces: counts its calls, and has some of them go wrong."""

    def __init__(self, server):
        handlers = server.service._handlers
        self._index = handlers["IndexFaces"]
        handlers["IndexFaces"] = self
        engine = self._index.__self__._engine
        self._look, self._seen = engine.faces, {}
        engine.faces = self._look_once
        self.url = server.url
        self.before, self.after = [], []
        """Faults of the next calls, before or after their work."""
        self.begun = self.done = 0

    def __call__(self, call):
        self.begun += 1
        before = self.before.pop(0) if self.before else None
        after = self.after.pop(0) if self.after else None
        try:
            if before:
                before(self)
            answer = self._index(call)
            if after:
                after(self)
        finally:
            self.done += 1
        return answer

    def _look_once(self, photo, attributes=()):
        """Seeing takes long on a busy machine; here only the time that trouble takes shall matter."""
        key = photo.pixels.tobytes()
        if key not in self._seen:
            self._seen[key] = self._look(photo, attributes)
        return self._seen[key]


def too_slow(trouble):
    """Until the client has given up waiting and asked again."""
    begun_calls = trouble.begun
    while trouble.begun == begun_calls:
        time.sleep(0.01)


def dropped(trouble):
    raise ConnectionDropped


def failed(trouble):
    raise internal_error()


@pytest.fixture
def trouble(open_rekognition, photo):
    with open_endpoint() as server, server.in_background():
        trouble = Trouble(server)
        open_rekognition(server.url, collection="other").enroll(photo, "cd" * 32)
        trouble.begun = trouble.done = 0
        yield trouble


@pytest.mark.parametrize(
    ("when", "failure"),
    [("after", too_slow), ("before", too_slow), ("after", dropped), ("after", failed)],
    ids=["too slow in the end", "still at work when asked again", "dropped", "failed"],
)
def test_a_lost_answer_is_asked_for_again_enrolls_once_and_counts_twice(
    open_rekognition, trouble, photo, when, failure
):
    """The work was done twice, and Amazon may bill it twice; the collection holds each face once."""
    engine = open_rekognition(trouble.url, connection={"read_seconds": READ_SECONDS} if failure is too_slow else {})
    assert engine.model
    getattr(trouble, when).append(failure)
    enrollment = engine.enroll(photo, "ab" * 32)
    assert trouble.begun == 2
    assert enrollment.charges == (Charge(Operation.INDEX_FACES, 2, Decimal("0.002")),)
    while trouble.done < 2:
        time.sleep(0.01)
    assert [face.face_id for face in engine.enrolled()] == [record.face_id for record in enrollment.faces]
    assert len(enrollment.faces) == 1
    assert engine.take_unreported_charges() == ()


def test_what_was_lost_for_good_is_told_once(open_rekognition, trouble, photo):
    """No answer ever came, so none could carry the charges; the engine knows them, behind a prefilter too."""
    engine = open_rekognition(trouble.url, connection={"attempts": 3})
    assert engine.model
    trouble.after += [failed] * 3
    with pytest.raises(PhotoError):
        engine.enroll(photo, "ab" * 32)
    filtered = PrefilteredEngine(engine, engine, sample=0)
    assert filtered.take_unreported_charges() == (Charge(Operation.INDEX_FACES, 3, Decimal("0.003")),)
    assert engine.take_unreported_charges() == ()
    trouble.after += [dropped] * 3
    with pytest.raises(EngineError):
        engine.enroll(photo, "ab" * 32)
    assert engine.take_unreported_charges() == (Charge(Operation.INDEX_FACES, 3, Decimal("0.003")),)


def test_what_may_be_billed_is_taken_from_the_budget(open_rekognition, trouble, photo):
    """Two calls are allowed, both answers are lost: there is no third."""
    budget = Budget(lambda operation, calls: Charge(operation, calls, Decimal("0.001")), max_calls=2)
    engine = open_rekognition(trouble.url, budget=budget)
    assert engine.model
    trouble.after += [dropped] * 2
    with pytest.raises(LimitReached):
        engine.enroll(photo, "ab" * 32)
    assert trouble.begun == 2
    assert [charge.calls for charge in engine.take_unreported_charges()] == [2]
