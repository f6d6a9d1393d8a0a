"""A Typer group whose subcommands are imported when they are invoked."""

from __future__ import annotations

import copy
import importlib
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer
from typer.core import TyperCommand, TyperGroup
from typer.exceptions import TyperException
from typer.main import get_command, get_command_name, get_group
from typer.models import CommandInfo

from catalog.cli.plain_help import use_plain_names
from catalog.cli.plain_values import PlainValues
from catalog.domain.errors import shortened

if TYPE_CHECKING:
    from catalog.cli.main import CommandEntry

_LARGEST = (1 << 63) - 1
_PLAIN_SENTENCES = (
    (re.compile(r"Value error, "), ""),
    (re.compile(r"Input should be a valid integer.*"), "Write a whole number, such as 12."),
    (re.compile(r"Input should be a valid number.*"), "Write a number, such as 0.5."),
    (re.compile(r"Input should be less than or equal to (\S+)"), r"The number is \1 at most."),
    (re.compile(r"Input should be greater than or equal to (\S+)"), r"The number is \1 at least."),
)


class _PlainParameters:
    """A command whose values are converted by Typer only if they need it, and whose help is in plain words."""

    def get_params(self, ctx: Any) -> list[Any]:
        parameters: list[Any] = super().get_params(ctx)  # type: ignore[misc]
        PlainValues.use_for(parameters)
        use_plain_names(parameters)
        return parameters


class CheckedCommand(_PlainParameters, TyperCommand):
    """A command that refuses an empty path, which would be the current folder, and a number that no database holds."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        written, _, _ = self.make_parser(ctx).parse_args(args=list(args))
        rest = super().parse_args(ctx, args)
        for parameter in self.get_params(ctx):
            value, text = ctx.params.get(parameter.name or ""), written.get(parameter.name or "")
            values, texts = (item if isinstance(item, (list, tuple)) else [item] for item in (value, text))
            if "" in texts and any(isinstance(item, Path) for item in values):
                raise typer.BadParameter("The path is empty.", ctx=ctx, param_hint=_hint(parameter))
            if any(isinstance(item, int) and abs(item) > _LARGEST for item in values):
                raise typer.BadParameter("The number is too large.", ctx=ctx, param_hint=_hint(parameter))
        return rest


class SubcommandGroup(_PlainParameters, TyperGroup):
    """A command with subcommands, such as ``catalog people``. A group with a class of its own derives it from this."""


class CommandGroup(_PlainParameters, TyperGroup):
    """The root command. ``commands`` holds placeholders with name and help. An invoked command is loaded first."""

    entries: dict[str, CommandEntry]

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        name, placeholder, rest = super().resolve_command(ctx, args)
        if name is None or placeholder is None:
            return name, placeholder, rest
        return name, load_command(self.entries[name], rest[0] if rest else None), rest

    def invoke(self, ctx: Any) -> Any:
        """Run the command. The message about a wrong argument is plain, and does not repeat megabytes of it."""
        try:
            return super().invoke(ctx)
        except TyperException as error:
            if isinstance(message := getattr(error, "message", None), str):
                vars(error)["message"] = shortened(_plain(message))
            raise


def make_group(entries: Sequence[CommandEntry]) -> CommandGroup:
    """The root command with a placeholder for each entry."""
    app = typer.Typer(
        name="catalog",
        cls=CommandGroup,
        result_callback=_exit_with,
        help="Catalogue the faces of a photo library: who is on which photo.",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
    )
    app.callback()(_root_options)
    group = get_command(app)
    assert isinstance(group, CommandGroup)
    group.entries = {entry.name: entry for entry in entries}
    for entry in entries:
        placeholder = TyperCommand(entry.name, help=entry.help, hidden=entry.is_hidden, rich_markup_mode=None)
        group.add_command(placeholder)
    return group


def load_command(entry: CommandEntry, subcommand: str | None = None) -> Any:
    """Import the command of an entry: a group if the target is a Typer application.

    If ``subcommand`` is one of the group's own commands, the group holds that command alone. Typer needs longer to
    build the twenty commands of ``people`` than to run one of them.
    """
    module, _, name = entry.target.partition(":")
    target = getattr(importlib.import_module(f"catalog.cli.{module}"), name)
    app = typer.Typer(add_completion=False, rich_markup_mode=None)
    for command in target.registered_commands if isinstance(target, typer.Typer) else ():
        command.cls = CheckedCommand
    app.callback()(_no_options)  # keeps Typer from making the only command the root
    if isinstance(target, typer.Typer):
        chosen = [command for command in target.registered_commands if subcommand and _name(command) == subcommand]
        if chosen:
            target = copy.copy(target)
            target.registered_commands, target.registered_groups = chosen, []
        if not isinstance(target.info.cls, type):
            target.info.cls = SubcommandGroup
        app.add_typer(target, name=entry.name)
    else:
        app.command(entry.name, cls=CheckedCommand, hidden=entry.is_hidden)(target)
    return get_group(app).commands[entry.name]


def _name(command: CommandInfo) -> str:
    """The name on the command line, as Typer derives it."""
    return command.name or get_command_name(command.callback.__name__ if command.callback else "")


def _hint(parameter: Any) -> str:
    """The option, or the placeholder of an argument, as in Typer's own messages."""
    return str(parameter.get_error_hint())


def _plain(message: str) -> str:
    """The message of Typer in plain words where it quotes the library that checks values."""
    for pattern, sentence in _PLAIN_SENTENCES:
        message = pattern.sub(sentence, message)
    return message


def _no_options() -> None:
    """A root without options."""


def _root_options(
    version: bool = typer.Option(False, "--version", help="Print the version."),
) -> None:
    """``main`` answers ``--version`` before Typer is imported. The option is declared for the help text."""


def _exit_with(code: int | None, **_options: object) -> None:
    """The return value of a command is its exit code. None is 0."""
    raise typer.Exit(code or 0)
