"""Generate the manual pages of docs/man/ from the commands' own help: ``catalog.1`` and one page per command.

Run ``python -m tools.write_docs`` to write them with the other pages. The wheel installs them below share/man/man1.
"""

from __future__ import annotations

import os
from typing import Any

from typer.core import TyperGroup

from catalog.cli.command_group import load_command
from catalog.cli.main import COMMANDS

EXIT_CODES = (
    ("0", "done"),
    ("2", "the command line, a setting or a reference photo cannot be used"),
    ("3", "done, but some photos failed"),
    ("4", "a source cannot be reached"),
    ("5", "the engine cannot be used"),
    ("6", "the database cannot be used"),
    ("7", "a limit of cost, calls or time was reached"),
    ("8", "another scan holds the lock"),
    ("9", "a requested check failed"),
    ("130", "interrupted; finished work is kept"),
)


def man_pages() -> dict[str, str]:
    """Text by file name, such as ``catalog-scan.1``."""
    os.environ["COLUMNS"] = os.environ["TERMINAL_WIDTH"] = "100"
    entries = [entry for entry in COMMANDS if not entry.is_hidden]
    pages = {f"catalog-{entry.name}.1": _command_page(load_command(entry), entry.name) for entry in entries}
    lines = [
        _title("catalog"),
        _section("NAME", "catalog \\- catalogue the faces of a photo library"),
        _section("SYNOPSIS", "\\fBcatalog\\fR [\\fIOPTIONS\\fR] \\fICOMMAND\\fR [\\fIARGS\\fR]..."),
        _section("COMMANDS", "\n".join(_item(f"catalog-{entry.name}(1)", entry.help) for entry in entries)),
        _section("EXIT STATUS", "\n".join(_item(code, meaning) for code, meaning in EXIT_CODES)),
        _section("FILES", _item("~/.config/catalog/catalog.toml", "the settings of the user")),
    ]
    return {"catalog.1": "\n".join(lines) + "\n", **pages}


def _command_page(command: Any, name: str) -> str:
    title = f"catalog-{name}"
    lines = [_title(title), _section("NAME", f"{title} \\- {_escape(_first_sentence(command.help))}")]
    for path, child in _commands_below(command, ("catalog", name)):
        context = child.make_context(path[-1], [], resilient_parsing=True)
        pieces = " ".join(child.collect_usage_pieces(context))
        lines.append(_section(" ".join(path), f"\\fB{_escape(' '.join(path))}\\fR {_escape(pieces)}"))
        lines.append(f".PP\n{_escape(' '.join((child.help or '').split()))}")
        records = [parameter.get_help_record(context) for parameter in child.params]
        lines += [_item(*record) for record in records if record is not None]
    lines.append(_section("SEE ALSO", "catalog(1)"))
    return "\n".join(lines) + "\n"


def _commands_below(command: Any, path: tuple[str, ...]) -> list[tuple[tuple[str, ...], Any]]:
    if command.hidden:
        return []
    if isinstance(command, TyperGroup):
        return [pair for name, child in command.commands.items() for pair in _commands_below(child, (*path, name))]
    return [(path, command)]


def _title(name: str) -> str:
    return f'.TH "{name.upper()}" "1" "" "face-catalog" "User Commands"'


def _section(name: str, body: str) -> str:
    return f'.SH "{name}"\n{body}'


def _item(term: str, meaning: str) -> str:
    return f".TP\n\\fB{_escape(term)}\\fR\n{_escape(' '.join(meaning.split()))}"


def _first_sentence(text: str | None) -> str:
    return " ".join((text or "").split()).split(". ")[0].rstrip(".")


def _escape(text: str) -> str:
    """Text for roff: backslashes, hyphens and a leading dot or quote lose their meaning."""
    escaped = text.replace("\\", "\\e").replace("-", "\\-")
    return f"\\&{escaped}" if escaped[:1] in {".", "'"} else escaped
