"""The command that a user wants run after each scan, to send a message or to copy the catalogue away."""

from __future__ import annotations

import json
import logging
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from catalog.errors import CatalogError
from catalog.scanning.summary import Summary

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Told:
    """What a scan came to, as far as it came."""

    summary: Summary | None = None
    exit_code: int = 1


@contextmanager
def hooked(command: str | None) -> Iterator[Told]:
    """Run the command when the block ends, however it ends."""
    told = Told()
    try:
        yield told
    except CatalogError as error:
        told.exit_code = error.exit_code
        raise
    except KeyboardInterrupt:
        told.exit_code = 130
        raise
    finally:
        if command:
            run_hook(command, told.summary, told.exit_code)


def run_hook(command: str, summary: Summary | None, exit_code: int) -> None:
    """Run a shell command with the summary as JSON on its stdin and the scan's exit code in CATALOG_EXIT_CODE.

    It cannot change the scan's own exit code; that it failed is logged.
    """
    counts = json.dumps({"summary": True, "exit_code": exit_code, **(summary.counts() if summary else {})})
    # A shell on purpose: it is the user's own command line, given by the user.
    done = subprocess.run(  # noqa: S602
        command,
        shell=True,
        input=counts,
        text=True,
        check=False,
        env={**os.environ, "CATALOG_EXIT_CODE": str(exit_code)},
    )
    if done.returncode:
        log.warning("The command after the scan ended with exit code %d.", done.returncode)
