"""Every wrapper of engines, for the contract to run over."""

from __future__ import annotations

from collections.abc import Callable

from catalog.domain.engine import Engine
from catalog.engines.delegating import DelegatingEngine
from catalog.engines.opened_later import EngineOpenedLater
from catalog.engines.prefilter import PrefilteredEngine
from catalog.engines.user_vectors_first import UserVectorsFirstEngine
from tests.fake_gallery import FakeGallery, FakeUserVectors


def bare(engine: Engine, _free: Engine) -> Engine:
    """The engine itself."""
    return engine


def delegating(engine: Engine, _free: Engine) -> Engine:
    return DelegatingEngine(engine)


def opened_later(engine: Engine, _free: Engine) -> Engine:
    return EngineOpenedLater(engine.name, engine.model, engine.capabilities, lambda: engine)


def prefiltered(engine: Engine, free: Engine) -> Engine:
    return PrefilteredEngine(engine, free, sample=0)


def user_vectors_first(engine: Engine, _free: Engine) -> Engine:
    """Around an engine without user vectors, the wrapper gets a gallery without any."""
    users = engine.user_vectors or FakeUserVectors(FakeGallery(), lambda _: (), lambda _: ())
    return UserVectorsFirstEngine(engine, users, certain=99.9)


def nested(engine: Engine, free: Engine) -> Engine:
    """The order in which a scan with both settings wraps."""
    return user_vectors_first(prefiltered(engine, free), free)


Wrap = Callable[[Engine, Engine], Engine]
WRAPPERS: tuple[Wrap, ...] = (bare, delegating, opened_later, prefiltered, user_vectors_first, nested)
