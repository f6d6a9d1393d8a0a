"""The only list of engines. Adding one is a folder with a ``spec.py`` and a line here."""

from __future__ import annotations

from catalog.engines.engine_spec import EngineSpec
from catalog.engines.local.spec import LOCAL
from catalog.engines.rekognition.spec import REKOGNITION

ENGINES: dict[str, EngineSpec] = {spec.name: spec for spec in (LOCAL, REKOGNITION)}
"""Engines by name, the default one first."""

FREE_ENGINE = LOCAL
"""Finds faces for the prefilter of a paid engine."""
