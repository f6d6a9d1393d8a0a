"""Write docs/api.md from the docstrings and signatures of the public names."""

from __future__ import annotations

import enum
import inspect
from dataclasses import fields, is_dataclass
from typing import Any

import catalog
from catalog.app.deciding import Decisions
from catalog.app.employees import Employees
from catalog.app.watching import WatchList

_PARTS = {"decisions": Decisions, "watch_list": WatchList, "employees": Employees}


def api_page() -> str:
    """The page: `open`, `Catalog` with its parts, values in alphabetical order, errors."""
    lines = [
        "# Python API",
        "",
        "Made from docstrings by `tools/write_docs.py`. Names that are not listed are private.",
        "",
        f"## `catalog.open{_signature(catalog.open)}`",
        "",
        *_prose(catalog.open),
        *_class("Catalog", catalog.Catalog),
    ]
    for name, part in _PARTS.items():
        lines += _class(f"Catalog.{name}", part)
    public = {name: getattr(catalog, name) for name in catalog.__all__}
    classes = {name: value for name, value in public.items() if inspect.isclass(value) and name != "Catalog"}
    errors = {name: value for name, value in classes.items() if issubclass(value, Exception)}
    for name in sorted(classes.keys() - errors.keys(), key=str.lower):
        lines += _class(f"catalog.{name}", classes[name])
    lines += ["", "## Errors", "", "| error | exit code | meaning |", "| --- | --- | --- |"]
    for name, error in sorted(errors.items(), key=lambda item: (item[1].exit_code, item[0])):
        meaning = " ".join(inspect.getdoc(error).split("\n\n")[0].split())
        lines.append(f"| `{name}` | {error.exit_code} | {meaning} |")
    return "\n".join(lines) + "\n"


def _class(title: str, kind: type[Any]) -> list[str]:
    lines = ["", f"## `{title}`", "", *_prose(kind)]
    if issubclass(kind, enum.Enum):
        return [*lines, "", ", ".join(f"`{member.name}`" for member in kind)]
    if is_dataclass(kind):
        lines += ["", *[f"- `{field.name}: {field.type}`" for field in fields(kind)]]
    for name, member in _members(kind):
        if isinstance(member, property):
            lines += ["", f"### `{name}`", "", *_prose(member)]
        else:
            lines += ["", f"### `{name}{_signature(member)}`", "", *_prose(member)]
    return lines


def _members(kind: type[Any]) -> list[tuple[str, Any]]:
    """Public methods and properties with a docstring, in the order of definition, those of base classes last."""
    members: dict[str, Any] = {}
    for base in kind.__mro__:
        if base.__module__.startswith("catalog."):
            for name, member in vars(base).items():
                if not name.startswith("_") and (inspect.isfunction(member) or isinstance(member, property)):
                    members.setdefault(name, member)
    return [(name, member) for name, member in members.items() if inspect.getdoc(member)]


def _signature(function: Any) -> str:
    signature = inspect.signature(function)
    parameters = [parameter for parameter in signature.parameters.values() if parameter.name != "self"]
    text = str(signature.replace(parameters=parameters))
    return text.replace("'", "").replace("\n", " ")


def _prose(documented: Any) -> list[str]:
    return (inspect.getdoc(documented) or "").splitlines()
