"""Settings as one frozen object. Later sources win: defaults, file, environment, flags.

``config/default.toml`` holds the defaults with unit, range and meaning. The classes below hold types and bounds. Lower
packages receive plain values, never a :class:`Settings`.
"""

from __future__ import annotations

import difflib
import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints

import platformdirs

from catalog.app.renamed_settings import NEW_KEY_BY_OLD, RenamedKeys
from catalog.domain.errors import SettingsError
from catalog.domain.value_range import Range
from catalog.engines.registry import ENGINES

PREFIX = "CATALOG_"


@dataclass(frozen=True, slots=True)
class DatabaseSettings:
    url: str


class EngineChoice:
    """The name of an engine of the registry."""


@dataclass(frozen=True, slots=True)
class EngineSettings:
    name: Annotated[str, EngineChoice()]
    gallery: Annotated[str, re.compile(r"[a-zA-Z0-9_.\-]{1,255}")]  # Amazon's rule for a collection
    quality_filter: Literal["none", "auto", "low", "medium", "high"]
    attributes: Literal["all", "none"]
    provider: Literal["auto", "cpu", "cuda", "openvino", "coreml"]
    search_folder: str


@dataclass(frozen=True, slots=True)
class ImageSettings:
    max_side: Annotated[int, Range(320, 10_000)]
    max_megapixels: Annotated[int, Range(1, 2_000)]
    max_megabytes: Annotated[int, Range(1, 4_096)]
    decode_seconds: Annotated[int, Range(1, 3_600)]
    decode_megabytes: Annotated[int, Range(256, 65_536)]


@dataclass(frozen=True, slots=True)
class ScanSettings:
    workers: Annotated[int, Range(0, 256)]
    prefilter: bool
    prefilter_sample: Annotated[float, Range(0, 1)]
    exclude: tuple[str, ...]
    default_excludes: bool
    time_zone: str
    stacks: bool


@dataclass(frozen=True, slots=True)
class S3Settings:
    endpoint_url: str
    region: str
    profile: str
    requester_pays: bool


@dataclass(frozen=True, slots=True)
class IdentitySettings:
    linkage_threshold: Annotated[float, Range(-1, 1)]
    linkage_pair_penalty: Annotated[float, Range(0, 1)]
    linkage_merge_margin: Annotated[float, Range(0, 1)]
    linkage_stranger_similarity: Annotated[float, Range(-1, 1)]
    search_linkage_threshold: Annotated[float, Range(-12, 12)]
    search_linkage_pair_penalty: Annotated[float, Range(0, 12)]
    search_linkage_merge_margin: Annotated[float, Range(0, 12)]
    search_threshold: Annotated[float, Range(0, 100)]
    search_covered_similarity: Annotated[float, Range(0, 100)]
    search_covering_faces: Annotated[int, Range(1, 10)]
    search_workers: Annotated[int, Range(1, 256)]
    seed_face_confidence: Annotated[float, Range(0, 100)]
    seed_face_side: Annotated[float, Range(0, 1000)]
    seed_face_sharpness: Annotated[float, Range(0, 100)]
    seed_face_yaw: Annotated[float, Range(0, 180)]
    max_birth_year_gap: Annotated[float, Range(0, 200)]
    gender_conflict_confidence: Annotated[float, Range(50, 100)]


@dataclass(frozen=True, slots=True)
class FindSettings:
    threshold: Annotated[float, Range(0, 100)]
    limit: Annotated[int, Range(1, 4_096)]


@dataclass(frozen=True, slots=True)
class EmployeeSettings:
    store_expressions: bool


@dataclass(frozen=True, slots=True)
class ClusterSettings:
    address: str
    tls: str
    wait_seconds: Annotated[float, Range(1, 86_400)]


@dataclass(frozen=True, slots=True)
class LogSettings:
    format: Literal["text", "json"]


@dataclass(frozen=True, slots=True)
class Settings:
    """Every setting, checked. ``origins`` maps ``section.key`` to the source of its value.

    ``engine_options`` maps the name of each engine to its options.
    """

    database: DatabaseSettings
    engine: EngineSettings
    images: ImageSettings
    scan: ScanSettings
    s3: S3Settings
    identities: IdentitySettings
    find: FindSettings
    employees: EmployeeSettings
    cluster: ClusterSettings
    log: LogSettings
    engine_options: Mapping[str, Any]
    origins: Mapping[str, str]
    warnings: tuple[str, ...] = ()
    """A sentence for each setting that was read under an old name."""

    def items(self) -> list[tuple[str, object, str]]:
        """(``section.key``, value, origin) in the order of the default file."""
        return [(key, self._value(*key.split(".")), origin) for key, origin in self.origins.items()]

    def _value(self, section: str, name: str) -> object:
        return getattr(self.engine_options[section] if section in self.engine_options else getattr(self, section), name)


_SECTIONS = {
    name: hint
    for name, hint in get_type_hints(Settings).items()
    if name not in {"origins", "engine_options", "warnings"}
}


def sections() -> dict[str, type[Any]]:
    """The type of each section by name: those of the program and one for each engine that has options."""
    return _SECTIONS | {spec.name: spec.options for spec in ENGINES.values() if fields(spec.options)}


def default_file() -> Path:
    """The shipped ``default.toml``: inside an installed package, or beside it in a checkout."""
    package = Path(__file__).parent.parent
    installed = package / "config" / "default.toml"
    return installed if installed.exists() else package.parent / "config" / "default.toml"


def user_file() -> Path:
    return Path(platformdirs.user_config_dir("catalog", appauthor=False)) / "catalog.toml"


def default_database() -> Path:
    return Path(platformdirs.user_data_dir("catalog", appauthor=False)) / "catalog.sqlite3"


def load_settings(
    file: Path | None = None, environ: Mapping[str, str] | None = None, flags: Mapping[str, object] | None = None
) -> Settings:
    """Read and check all settings; ``flags`` maps ``section.key`` to a value, and a None value is no flag.

    Raises ``SettingsError`` with every problem at once.
    """
    environ = os.environ if environ is None else environ
    problems: list[str] = []
    values: dict[str, object] = {}
    origins: dict[str, str] = {}
    renamed = RenamedKeys()
    layers: list[tuple[str, dict[str, object]]] = [("default", _read(default_file(), problems))]
    if file is not None and not file.exists():
        problems.append(f'The settings file "{file}" does not exist.')
    chosen = file or user_file()
    if chosen.exists():
        layers.append((str(chosen), _read(chosen, problems)))
    layers.append(("", _from_environment(environ, problems)))
    layers.append(("command line", {key: value for key, value in (flags or {}).items() if value is not None}))
    for origin, layer in layers:
        for key, raw in layer.items():
            place = origin or variable(key)
            if origin != "default":
                new_key = NEW_KEY_BY_OLD.get(key, key)
                key = renamed.current_name(key, place, new_key if origin else variable(new_key))
            hint = _hint(key)
            if hint is None:
                problems.append(f'"{key}" in {place} is not a setting.{_nearest(key, _keys())}')
                continue
            try:
                values[key] = _checked(raw, hint)
                origins[key] = place
            except ValueError as error:
                problems.append(f'"{key}" in {place} {error}.')
    problems += renamed.conflicts()
    problems += [f'"{key}" has no default.' for key in _keys() if key not in values and not problems]
    if problems:
        raise SettingsError(problems)
    section_by_name = {
        name: kind(**{field.name: values[f"{name}.{field.name}"] for field in fields(kind)})
        for name, kind in sections().items()
    }
    options = {
        name: section_by_name.pop(name) if name in section_by_name else spec.options() for name, spec in ENGINES.items()
    }
    return Settings(**section_by_name, engine_options=options, origins=origins, warnings=tuple(renamed.warnings))


def variable(key: str) -> str:
    """The environment variable of a setting: ``engine.name`` is CATALOG_ENGINE_NAME."""
    return PREFIX + key.upper().replace(".", "_")


def _keys() -> list[str]:
    return [f"{name}.{field.name}" for name, kind in sections().items() for field in fields(kind)]


def _hint(key: str) -> Any:
    section, _, name = key.partition(".")
    return _hints().get(section, {}).get(name)


@cache
def _hints() -> dict[str, dict[str, Any]]:
    return {name: get_type_hints(kind, include_extras=True) for name, kind in sections().items()}


def _read(file: Path, problems: list[str]) -> dict[str, object]:
    try:
        tables = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        problems.append(f'The settings file "{file}" cannot be read: {error}.')
        return {}
    flat: dict[str, object] = {}
    for section, table in tables.items():
        if isinstance(table, dict):
            flat |= {f"{section}.{key}": value for key, value in table.items()}
        else:
            flat[section] = table
    return flat


def _from_environment(environ: Mapping[str, str], problems: list[str]) -> dict[str, object]:
    key_by_variable = {variable(key): key for key in [*_keys(), *NEW_KEY_BY_OLD]}
    values: dict[str, object] = {}
    for name, value in environ.items():
        if name in key_by_variable:
            values[key_by_variable[name]] = value
        elif name.startswith(PREFIX) and (guess := _nearest(name, list(key_by_variable), similarity=0.8)):
            # A variable that resembles none of ours belongs to another program.
            problems.append(f'The environment variable "{name}" is not a setting.{guess}')
    return values


def _nearest(word: str, candidates: list[str], *, similarity: float = 0.6) -> str:
    close = difflib.get_close_matches(word, candidates, n=1, cutoff=similarity)
    return f' Did you mean "{close[0]}"?' if close else ""


def _checked(raw: object, hint: Any) -> object:
    """``raw`` as the type that ``hint`` asks for; text from the environment is converted. Raises ValueError."""
    bounds = None
    if get_origin(hint) is Annotated:
        hint, bounds = get_args(hint)
    if get_origin(hint) is Literal:
        if raw not in get_args(hint):
            raise ValueError(f"is {raw!r}, not one of " + ", ".join(map(repr, get_args(hint))))
        return raw
    if isinstance(bounds, EngineChoice) and raw not in ENGINES:
        raise ValueError(f"is {raw!r}, not one of " + ", ".join(map(repr, ENGINES)))
    value = _converted(raw, hint)
    if isinstance(bounds, Range) and isinstance(value, int | float) and not bounds.low <= value <= bounds.high:
        raise ValueError(f"is {value}, outside {bounds.low:g} to {bounds.high:g}")
    if isinstance(bounds, re.Pattern) and not bounds.fullmatch(str(value)):
        raise ValueError(f"is {value!r}, not 1 to 255 of A-Z, a-z, 0-9 and _ . -")
    return value


def _converted(raw: object, hint: Any) -> object:
    if hint is bool:
        words = {
            "true": True,
            "1": True,
            "yes": True,
            "on": True,
            "false": False,
            "0": False,
            "no": False,
            "off": False,
        }
        if isinstance(raw, bool):
            return raw
        if isinstance(raw, str) and raw.lower() in words:
            return words[raw.lower()]
        raise ValueError(f"is {raw!r}, neither true nor false")
    if hint in (int, float):
        if isinstance(raw, bool) or not isinstance(raw, int | float | str):
            raise ValueError(f"is {raw!r}, not a number")
        try:
            return hint(raw)
        except ValueError:
            raise ValueError(f"is {raw!r}, not a number") from None
    if get_origin(hint) is tuple:
        items = raw.splitlines() if isinstance(raw, str) else raw
        if not isinstance(items, list | tuple) or not all(isinstance(item, str) for item in items):
            raise ValueError(f"is {raw!r}, not a list of texts")
        return tuple(items)
    if get_origin(hint) is dict or hint is dict:
        if not isinstance(raw, dict):
            raise ValueError(f"is {raw!r}, not a table")
        return raw
    if not isinstance(raw, hint):
        raise ValueError(f"is {raw!r}, not text")
    return raw
