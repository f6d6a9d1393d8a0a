"""Values of parameters that need no conversion.

Typer converts every value with pydantic, even an absent one. Importing pydantic and building its converters takes
longer than the rest of the command line. Most values are absent, or are text for a parameter that takes text.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum
from typing import Any


class PlainValues:
    """Takes the place of Typer's conversion for one parameter. Asks Typer only if a value needs conversion."""

    def __init__(self, parameter: Any) -> None:
        described = parameter.type_descriptor
        self._takes_text = described.annotation is str and described.parameter_info.parser is None
        self._takes_texts = described.annotation == list[str] and described.parameter_info.parser is None
        self._conversion_of_typer = parameter.get_runtime_param

    @classmethod
    def use_for(cls, parameters: Iterable[Any]) -> None:
        """Replace the conversion of each parameter of a command. A second call changes nothing."""
        for parameter in parameters:
            # Other versions of Typer may have no such method. They convert each value themselves.
            if hasattr(parameter, "get_runtime_param") and parameter.get_runtime_param.__self__ is parameter:
                parameter.get_runtime_param = cls(parameter)._itself

    def _itself(self) -> PlainValues:
        return self

    def coerce(self, value: Any, param: Any, ctx: Any) -> Any:
        """Return the value in the parameter's type. Raises BadParameter."""
        if value is None:
            return () if param.multiple or param.nargs == -1 else None
        # The command line gives text. Anything else is a default, or the count of an option such as -vv.
        if isinstance(value, (int, float, Enum)) or (self._takes_text and isinstance(value, str)):
            return value
        if self._takes_texts and isinstance(value, (list, tuple)) and all(isinstance(item, str) for item in value):
            return list(value)
        return self._conversion_of_typer().coerce(value, param=param, ctx=ctx)
