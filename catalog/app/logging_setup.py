"""Messages on stderr while a command works: plain lines, or one JSON object per line.

No message names a person or shows a face. Messages name photos by their uris.
"""

from __future__ import annotations

import io
import json
import logging
import sys
from datetime import UTC, datetime
from typing import TextIO

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class JsonLines(logging.Formatter):
    """One object per line: time, level, logger, message, and the ``extra`` fields of the record."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        line |= {name: value for name, value in vars(record).items() if name not in _STANDARD}
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str)


class JsonLineStream(io.TextIOBase):
    """A text stream in place of stderr: each line that a command prints there becomes one object.

    It is not a terminal, so that no progress bar is drawn on it.
    """

    def __init__(self, stream: TextIO) -> None:
        super().__init__()
        self.stream = stream
        self._rest = ""

    @property
    def encoding(self) -> str:  # type: ignore[override]  # the base class has an attribute
        return self.stream.encoding

    @property
    def errors(self) -> str | None:  # type: ignore[override]  # as for the encoding
        return self.stream.errors

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        *lines, self._rest = (self._rest + text).split("\n")
        for line in lines:
            self._write_object(line)
        return len(text)

    def flush(self) -> None:
        """A question ends without a line end, and waits for the answer after a flush."""
        if not self.stream.closed:
            rest, self._rest = self._rest, ""
            self._write_object(rest)
            self.stream.flush()

    def _write_object(self, line: str) -> None:
        if line.strip():
            record = logging.LogRecord("catalog.cli", logging.WARNING, "", 0, line.strip(), None, None)
            self.stream.write(JsonLines().format(record) + "\n")


def set_up_logging(verbose: int, form: str = "text") -> None:
    """``form`` is ``text`` or ``json``. JSON includes a scan's steps without ``-v``, and replaces ``sys.stderr``."""
    level = (logging.WARNING, logging.INFO, logging.DEBUG)[min(verbose + (form == "json"), 2)]
    stream = sys.stderr.stream if isinstance(sys.stderr, JsonLineStream) else sys.stderr
    if form == "json":
        sys.stderr = JsonLineStream(stream)
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonLines() if form == "json" else logging.Formatter("%(message)s"))
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
    logging.getLogger("catalog").setLevel(level)


def is_verbose() -> bool:
    """``-v`` was given."""
    level = logging.DEBUG if isinstance(sys.stderr, JsonLineStream) else logging.INFO
    return logging.getLogger("catalog").isEnabledFor(level)
