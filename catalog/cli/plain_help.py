"""Names of parameters in usage lines and help texts, without Python's names of types.

Typer writes ``SOURCE <list[str]>`` and ``--workers <int range>  [1<=x<=256]``. This program writes ``SOURCE`` and
``--workers NUMBER  [1 to 256]``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Any, get_args


def use_plain_names(parameters: Iterable[Any]) -> None:
    """Replace what Typer writes for each parameter of a command. A second call changes nothing."""
    for parameter in parameters:
        # Other versions of Typer may have no such methods. They write their own names.
        if not hasattr(parameter, "type_descriptor") or "display_type" in vars(parameter):
            continue
        if hasattr(parameter, "display_type"):
            parameter.display_type = partial(_kind, parameter, parameter.display_type)
        if hasattr(parameter, "_usage_display_name"):
            parameter._usage_display_name = partial(_usage_name, parameter)
        if hasattr(parameter, "_get_number_range_help_str"):
            parameter._get_number_range_help_str = partial(_range, parameter, parameter._get_number_range_help_str)


def _kind(parameter: Any, kind_of_typer: Callable[[Any], str], ctx: Any) -> str:
    """The choices of a parameter; for other options the kind of the value; for other arguments nothing."""
    described = parameter.type_descriptor
    if described.is_choice:
        return kind_of_typer(ctx).strip("<>").removeprefix("list[").removesuffix("]")
    if parameter.param_type_name == "argument":
        return ""  # the name says what it is
    (kind,) = get_args(described.annotation) if described.is_list else (described.annotation,)
    if kind in (int, float):
        return "NUMBER"
    return "PATH" if kind is Path else "TEXT"


def _usage_name(parameter: Any) -> str:
    """The name of an argument, in brackets if it may be absent, with three points if it may be repeated."""
    name: str = parameter.display_name_raw
    if not parameter.required and not name.startswith("["):
        name = f"[{name}]"
    return f"{name}..." if parameter.nargs != 1 and not name.endswith("...") else name


def _range(parameter: Any, range_of_typer: Callable[[], str | None]) -> str | None:
    """The numbers that an option takes, or None if Typer shows none."""
    if not range_of_typer():
        return None
    if parameter.max is None:
        return f"at least {parameter.min}"
    return f"at most {parameter.max}" if parameter.min is None else f"{parameter.min} to {parameter.max}"
