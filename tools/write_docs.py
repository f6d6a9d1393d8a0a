"""Generate the reference pages of docs/ from their sources.

docs/commands.md from the commands' own help, docs/settings.md from the defaults, docs/schema.md from tables and views,
docs/licenses.md from the packages' metadata.
Run `python -m tools.write_docs` after changing any of these. A test compares the pages with the output of this tool.
"""

from __future__ import annotations

import os
import tomllib
from pathlib import Path
from typing import Any

import typer
from typer.core import TyperGroup

from catalog.app.settings import default_file, variable
from catalog.cli.command_group import load_command
from catalog.cli.main import COMMANDS
from tools.api_page import api_page
from tools.licenses_page import licenses_page
from tools.schema_page import schema_page
from tools.write_man import man_pages

DOCS = Path(__file__).parent.parent / "docs"
COMMON = {"--database", "--config", "--verbose"}


def commands_page() -> str:
    """Every command with its arguments and options, in the order of `catalog --help`."""
    os.environ["COLUMNS"] = os.environ["TERMINAL_WIDTH"] = "100"
    lines = [
        "# Commands",
        "",
        "Made from the commands' own help by `tools/write_docs.py`. Every command also takes, after its name,",
        "`--database URL`, `--config FILE` and `-v`.",
    ]
    for path, command in commands():
        context = command.make_context(path[-1], [], resilient_parsing=True)
        usage = " ".join(piece for piece in command.collect_usage_pieces(context) if piece != "[OPTIONS]")
        lines += ["", f"## `{' '.join(path)}`", "", f"    {' '.join(path)} {usage} [OPTIONS]".replace("  [", " ["), ""]
        lines += (command.help or "").splitlines()
        rows = [_row(parameter, context) for parameter in command.params if not COMMON & set(parameter.opts)]
        rows = [row for row in rows if row]
        if rows:
            lines += ["", "| option | meaning |", "| --- | --- |", *rows]
    return "\n".join(lines) + "\n"


def command_names() -> list[str]:
    """``scan``, ``people list`` and so on."""
    return [" ".join(path[1:]) for path, _ in commands()]


def commands() -> list[tuple[tuple[str, ...], Any]]:
    """Every command that is not hidden, with its words: ``("catalog", "people", "list")``."""
    visible = [entry for entry in COMMANDS if not entry.is_hidden]
    return [pair for entry in visible for pair in _commands_below(load_command(entry), ("catalog", entry.name))]


def _commands_below(command: Any, path: tuple[str, ...]) -> list[tuple[tuple[str, ...], Any]]:
    if command.hidden:
        return []
    if isinstance(command, TyperGroup):
        return [pair for name, child in command.commands.items() for pair in _commands_below(child, (*path, name))]
    return [(path, command)]


def _row(parameter: Any, context: typer.Context) -> str:
    record = parameter.get_help_record(context)
    if record is None or "--help" in parameter.opts:
        return ""
    name, meaning = (part.replace("|", "\\|").strip() for part in record)
    return f"| `{name}` | {' '.join(meaning.split())} |"


def settings_page() -> str:
    """Every setting with its environment variable, default and meaning, from config/default.toml."""
    text = default_file().read_text(encoding="utf-8")
    values = tomllib.loads(text)
    lines = [
        "# Settings",
        "",
        "Made from `config/default.toml` by `tools/write_docs.py`. Last wins: these defaults, the settings file",
        "(`~/.config/catalog/catalog.toml`, or the one after `--config`), the environment, the command line.",
    ]
    section, comment = "", []
    for line in text.splitlines():
        if line.startswith("[") and line.rstrip("]").lstrip("[") in values:
            section = line.strip("[]")
            lines += [
                "",
                f"## {section}",
                "",
                "| setting | environment | default | meaning |",
                "| --- | --- | --- | --- |",
            ]
            comment = []
        elif line.startswith("#"):
            comment.append(line.lstrip("# "))
        elif " = " in line and section and not line.startswith(" "):
            name, default = (part.strip() for part in line.split(" = ", 1))
            if name in values[section]:
                key = f"{section}.{name}"
                shown = default if not isinstance(values[section][name], dict | list) else "see the file"
                lines.append(f"| `{key}` | `{variable(key)}` | `{shown}` | {' '.join(comment)} |")
            comment = []
    return "\n".join(lines) + "\n"


PAGES = {
    "api.md": api_page,
    "commands.md": commands_page,
    "licenses.md": licenses_page,
    "schema.md": schema_page,
    "settings.md": settings_page,
}


def main() -> None:
    DOCS.mkdir(exist_ok=True)
    for name, page in PAGES.items():
        (DOCS / name).write_text(page(), encoding="utf-8")
        print(f"wrote docs/{name}")
    manual = DOCS / "man"
    manual.mkdir(exist_ok=True)
    for old in manual.glob("*.1"):
        old.unlink()
    for name, text in man_pages().items():
        (manual / name).write_text(text, encoding="utf-8")
    print("wrote docs/man")


if __name__ == "__main__":
    main()
