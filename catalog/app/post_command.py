"""A command of the user that runs after a scan or for watch hits, with JSON on its stdin."""

from __future__ import annotations

import json
import logging
import os
import subprocess
from collections.abc import Mapping

log = logging.getLogger(__name__)


def run_post_command(command: str, payload: object, environment: Mapping[str, str] | None = None) -> None:
    """Run a shell command with ``payload`` as JSON on its stdin. Its failure is logged and has no other effect."""
    # A shell on purpose: this is the user's own command line.
    done = subprocess.run(  # noqa: S602
        command,
        shell=True,
        input=json.dumps(payload),
        text=True,
        check=False,
        stdout=2,  # our stdout may be JSON that another program reads
        env={**os.environ, **(environment or {})},
    )
    if done.returncode:
        log.warning("The post command ended with exit code %d.", done.returncode)
