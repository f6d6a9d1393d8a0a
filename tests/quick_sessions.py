"""Sessions of boto3 start quickly: what botocore computes for each session is computed once.

A session parses a megabyte of JSON, examines the signatures of 130 handlers and renames 130 events. Each test with a
client of Amazon's services makes several sessions.
"""

from __future__ import annotations

import functools
from types import FunctionType
from typing import Any

import botocore.hooks
import botocore.session
import pytest
from botocore.hooks import EVENT_ALIASES, EventAliaser

_examine = botocore.hooks.accepts_kwargs
_start = EventAliaser.__init__
_names: dict[str, str] = {}
"""Names of events after their aliases are replaced. They depend on the names and on botocore's aliases alone."""


def share_models(patch: pytest.MonkeyPatch) -> None:
    """All sessions share the descriptions of services, the examined handlers and the names of events."""
    patch.setattr(botocore.session, "create_loader", functools.cache(botocore.session.create_loader))
    patch.setattr(botocore.hooks, "accepts_kwargs", _accepts_kwargs)
    patch.setattr(EventAliaser, "__init__", _start_aliaser)


def _accepts_kwargs(handler: Any) -> object:
    function = getattr(handler, "__func__", handler)
    return _examined(function) if isinstance(function, FunctionType) else _examine(handler)


@functools.lru_cache(1_000)
def _examined(function: FunctionType) -> object:
    return _examine(function)


def _start_aliaser(aliaser: Any, emitter: Any, aliases: dict[str, str] | None = None) -> None:
    _start(aliaser, emitter, aliases)
    if aliaser._event_aliases == EVENT_ALIASES:
        aliaser._alias_name_cache = _names
