"""The date in a JSON file of Google Takeout."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta

from catalog.domain.date_text import is_plausible
from catalog.domain.local_day import DatePrecision
from catalog.domain.taken_at import DateSource, TakenAt

MAX_JSON = 1_000_000
"""Bytes. A larger file is not Takeout's, whose files have a few kilobytes."""

_SECONDS = re.compile(r"-?\d{1,11}")


def takeout_date(data: bytes) -> TakenAt | None:
    """``photoTakenTime`` in seconds since 1970, UTC; negative before 1970. 0, a missing and a malformed value are none.

    ``creationTime`` is the time of the upload and is not used.
    """
    if len(data) > MAX_JSON:
        return None
    try:
        content = json.loads(data.decode("utf-8", "replace"))
    except (ValueError, RecursionError):
        return None
    taken_time = content.get("photoTakenTime") if isinstance(content, dict) else None
    stamp = taken_time.get("timestamp") if isinstance(taken_time, dict) else None
    if isinstance(stamp, bool) or not isinstance(stamp, str | int) or not _SECONDS.fullmatch(str(stamp)):
        return None
    seconds = int(stamp)
    if seconds == 0:
        return None
    try:
        moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
    except OverflowError:
        return None
    if not is_plausible(moment):
        return None
    return TakenAt(moment, 0, DatePrecision.SECOND, DateSource.TAKEOUT, is_instant=True)
