"""Commands that a user wants run after a scan or for hits, to send a message or to copy the catalogue away."""

from __future__ import annotations

import json
import logging
import os
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from catalog.domain.errors import CatalogError
from catalog.scanning.summary import Summary

log = logging.getLogger(__name__)


@dataclass(slots=True)
class PostCommandPayload:
    """What a scan came to, as far as it came."""

    summary: Summary | None = None
    hits: list[dict[str, object]] = field(default_factory=list)
    """New ones on the watch list."""
    exit_code: int = 1


@contextmanager
def running_post_command(command: str | None) -> Iterator[PostCommandPayload]:
    """Run the command when the block ends, however it ends."""
    told = PostCommandPayload()
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
            counts = told.summary.counts() if told.summary else {}
            run_hook(
                command,
                {"summary": True, "exit_code": told.exit_code, **counts, "hits": told.hits},
                {"CATALOG_EXIT_CODE": str(told.exit_code)},
            )


def run_hook(command: str, told: object, environment: Mapping[str, str] | None = None) -> None:
    """Run a shell command with ``told`` as JSON on its stdin; that it failed is logged, and changes nothing."""
    # A shell on purpose: it is the user's own command line, given by the user.
    done = subprocess.run(  # noqa: S602
        command,
        shell=True,
        input=json.dumps(told),
        text=True,
        check=False,
        stdout=2,  # what it prints is no part of the command's own answer, which may be JSON
        env={**os.environ, **(environment or {})},
    )
    if done.returncode:
        log.warning("The command that was to be told ended with exit code %d.", done.returncode)
