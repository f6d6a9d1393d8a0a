"""The program's entry point: the table of commands, and the translation of errors into messages and exit codes.

A command's module is imported when the command runs or its own help is asked for. ``catalog --help``, ``--version`` and
shell completion therefore load none of the heavy packages.
"""

from __future__ import annotations

import errno
import gc
import os
import sys
import traceback
from dataclasses import dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING

from catalog.app.logging_setup import is_verbose
from catalog.domain.errors import CatalogError, shortened
from catalog.domain.uri import display_name

if TYPE_CHECKING:
    from catalog.cli.command_group import CommandGroup

INTERRUPTED = 130
INTERRUPTED_TEXT = "Interrupted. Finished work is kept."
OUTPUT_CLOSED = 141
"""The reader of the output closed it, as in ``catalog ... | head``. Shells report this code for every such program."""

_OBJECTS_BEFORE_FIRST_COLLECTION, _OBJECTS_BETWEEN_COLLECTIONS = 200_000, 20_000
"""New objects that begin a search for garbage. A scan without new photos makes 100,000."""


@dataclass(frozen=True, slots=True)
class CommandEntry:
    """One line of ``catalog --help``. ``target`` is ``module:name`` of a function, or of a Typer group."""

    name: str
    target: str
    help: str
    is_hidden: bool = False


COMMANDS = (
    CommandEntry("scan", "scan:scan", "Find the faces in photos and assign them to persons."),
    CommandEntry("cluster", "cluster:app", "Run a cluster on this machine, or make certificates for one."),
    CommandEntry("analyze", "analyze:analyze", "Describe each face of a photo, without storing it."),
    CommandEntry("compare", "compare:compare", "Compare the largest face of a photo with another photo."),
    CommandEntry("find-person", "find_person:find_person", "Find the photos that show a person, best first."),
    CommandEntry("people", "people:app", "List, name, merge and split persons."),
    CommandEntry("review", "review:review", "Name persons in the browser."),
    CommandEntry("explain", "explain:explain", "Show why a face belongs to its person."),
    CommandEntry("why", "explain:explain", "Old name of `explain`.", is_hidden=True),
    CommandEntry("undo", "undo:undo", "Revert a decision, or an undo."),
    CommandEntry("watch", "watch:app", "Watch for persons of interest in every scan."),
    CommandEntry("employees", "enroll:app", "Enroll, list and remove the employees that `verify` verifies."),
    CommandEntry("enroll", "enroll:enroll", "Enroll an employee for verification."),
    CommandEntry("verify", "employees:verify", "Verify that a photo shows an enrolled employee."),
    CommandEntry("evaluate", "employees:evaluate", "Measure error rates on your own confirmed faces."),
    CommandEntry("audit", "employees:audit", "Print the verification log and check its chain."),
    CommandEntry("endpoint", "endpoint:endpoint", "Serve Amazon Rekognition's face operations on this machine."),
    CommandEntry("dates", "dates:app", "Show when photos were taken, or correct it."),
    CommandEntry("report", "report:app", "Run a report, or write the pages."),
    CommandEntry("export", "export:app", "Write XMP sidecars, tables or albums for other programs."),
    CommandEntry("import", "import_names:app", "Read names from XMP, photos or CSV."),
    CommandEntry("sql", "sql:sql", "Run a read-only SQL query."),
    CommandEntry("status", "status:status", "Show the contents of the catalogue and its last scans."),
    CommandEntry("costs", "costs:costs", "Show the charges of paid engines, by scan and month."),
    CommandEntry("check", "check:check", "Check what a scan needs, without paying."),
    CommandEntry("settings", "settings:show", "Show each setting, its value and its origin."),
    CommandEntry("sources", "sources:app", "List the scanned sources, or remove one."),
    CommandEntry("stacks", "stacks:app", "List stacks of files of one exposure, part or join them."),
    CommandEntry("prune", "prune:prune", "Remove photos that have been missing for long."),
    CommandEntry("reconcile", "reconcile:reconcile", "Repair differences between gallery and catalogue."),
    CommandEntry("backup", "backup:backup", "Copy the catalogue into a new file while it is in use."),
    CommandEntry("restore", "backup:restore", "Restore a backup, or import a labels file."),
    CommandEntry("database", "database:app", "Show or upgrade the database's schema."),
)


def main() -> None:
    """Run one command and exit with its code. ``-v`` adds the traceback to an error's message."""
    # Python has no stream where the shell closed one, as in `catalog status >&-`. The next file would get its number.
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode))  # noqa: PTH123, SIM115
    _collect_garbage_late()
    exit_code = run(sys.argv[1:])
    # After an interruption of exec(), which makes dataclasses, CPython ends by the signal and not with the exit code,
    # unless another text was run since.
    exec("")  # noqa: S102
    gc.freeze()  # otherwise the interpreter searches all modules for garbage before it ends
    sys.exit(exit_code)


def _collect_garbage_late() -> None:
    """Let the first search for garbage wait, and later ones be rare: imports make no garbage, and no listing does.

    By default one begins after 700 new objects. One after every 20,000 took a twentieth of the time of a scan without
    new photos.
    """
    gc.set_threshold(_OBJECTS_BEFORE_FIRST_COLLECTION)
    gc.callbacks.append(_after_first_collection)


def _after_first_collection(phase: str, _: object) -> None:
    if phase == "stop":
        gc.callbacks.remove(_after_first_collection)
        gc.freeze()  # modules live until the end; searching them again and again costs a tenth of a long scan
        gc.set_threshold(_OBJECTS_BETWEEN_COLLECTIONS)


def run(arguments: list[str]) -> int:
    """Run one command. Returns its exit code."""
    stderr = sys.stderr
    try:
        return _run(arguments)
    finally:
        sys.stderr = stderr  # a command replaces it if the messages are JSON


def _run(arguments: list[str]) -> int:
    # A file name may hold bytes that the locale cannot decode. Printing such a name must not end a scan.
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    if arguments[:1] == ["--version"]:
        return _print_version()
    try:
        command_group()(args=arguments, prog_name="catalog")
    except SystemExit as end:
        # Typer has printed the message about a wrong option.
        if end.code == INTERRUPTED:
            _print_error(INTERRUPTED_TEXT, "")
        # Typer ends with 1 when the reader of the output closed it. Its other codes are 0 and 2.
        return OUTPUT_CLOSED if end.code == 1 else end.code if isinstance(end.code, int) else 0
    except KeyboardInterrupt:  # while modules are loaded: Typer handles one that comes later
        _print_error(INTERRUPTED_TEXT, "")
        return INTERRUPTED
    except BrokenPipeError:
        _discard_output()
        return OUTPUT_CLOSED
    except CatalogError as error:
        _print_error(str(error), error.remedy)
        return error.exit_code
    except Exception as error:  # noqa: BLE001  every other exception is a bug and is reported here once
        if _is_interruption(error):
            _print_error(INTERRUPTED_TEXT, "")
            return INTERRUPTED
        return _report_unexpected(error, arguments)
    return 0


def command_group() -> CommandGroup:
    """The root command. Its subcommands are loaded on demand."""
    # `catalog --version` starts without Typer.
    from catalog.cli.command_group import make_group

    return make_group(COMMANDS)


def _print_version() -> int:
    print(f"catalog {version('face-catalog')}")  # noqa: T201
    return 0


def _is_interruption(error: BaseException | None) -> bool:
    """Return True if Ctrl-C caused the error: modules in C report one during their import as an ImportError."""
    while error is not None:
        if isinstance(error, KeyboardInterrupt):
            return True
        error = error.__cause__ or error.__context__
    return False


def _report_unexpected(error: Exception, arguments: list[str]) -> int:
    is_full = isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EIO)
    if isinstance(error, OSError) and is_full and not error.filename:
        _print_error(f"The output cannot be written: {error.strerror}.", "")
        _discard_output()
        return 2
    if isinstance(error, UnicodeEncodeError) and any(map(_has_undecodable_bytes, arguments)):
        _print_error(f"An argument is not valid UTF-8: {error.object!r}.", "Use UTF-8 for every argument but paths.")
        return 2
    _print_error(
        f"This is a bug in catalog: {type(error).__name__}: {error}", "Run the command again with -v for the traceback."
    )
    return 1


def _discard_output() -> None:
    """Send stdout to the null device. Otherwise Python flushes it again at exit and ends with its own exit code."""
    null_device = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null_device, 1)
    os.close(null_device)


def _has_undecodable_bytes(argument: str) -> bool:
    """Python passes bytes that the locale cannot decode as lone surrogates."""
    return any("\udc80" <= character <= "\udcff" for character in argument)


def _print_error(message: str, remedy: str) -> None:
    if is_verbose():
        traceback.print_exc()
    for line in shortened(message).splitlines():
        print(f"catalog: {display_name(line)}", file=sys.stderr)  # noqa: T201
    if remedy:
        print(f"  {display_name(remedy)}", file=sys.stderr)  # noqa: T201


if __name__ == "__main__":
    main()
