"""An engine that is opened at its first use, so that a scan without a new photo loads neither networks nor gallery."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property

from catalog.domain.charges import Charge
from catalog.domain.engine import Engine, EngineCapabilities
from catalog.engines.delegating import DelegatingEngine


class EngineOpenedLater(DelegatingEngine):
    """Knows the name, the model and the capabilities of an engine, and opens it for everything else.

    ``open_engine`` returns the same engine at every call: threads may need it at the same time.
    """

    def __init__(
        self, name: str, model: str, capabilities: EngineCapabilities, open_engine: Callable[[], Engine]
    ) -> None:
        self._name = name
        self._model = model
        self._capabilities = capabilities
        self._open_engine = open_engine

    @cached_property
    def inner(self) -> Engine:  # type: ignore[override]  # the base class assigns it
        return self._open_engine()

    @property
    def name(self) -> str:
        return self._name

    @property
    def model(self) -> str:
        return self._model

    @property
    def capabilities(self) -> EngineCapabilities:
        return self._capabilities

    def take_unreported_charges(self) -> tuple[Charge, ...]:
        return self.inner.take_unreported_charges() if "inner" in vars(self) else ()
