"""The time zone of a library, from the setting ``scan.time_zone``."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo

from catalog.domain.date_text import parse_offset
from catalog.domain.errors import SettingsError


def time_zone(setting: str) -> tzinfo:
    """Return the zone of a name or an offset; an empty text is the zone of this machine. Raises ``SettingsError``."""
    if not setting:
        return _MachineZone()
    offset = parse_offset(setting)
    if offset is not None:
        return timezone(timedelta(minutes=offset))
    try:
        return ZoneInfo(setting)
    except (OSError, ValueError, KeyError) as error:  # KeyError: an unknown name
        message = (
            f'scan.time_zone is "{setting}", which is not a time zone. Use a name or an offset: Europe/Berlin, +02:00.'
        )
        raise SettingsError([message]) from error


class _MachineZone(tzinfo):
    """The zone of this machine, with the offset that was or will be in force at the time."""

    def utcoffset(self, dt: datetime | None) -> timedelta | None:
        return None if dt is None else dt.replace(tzinfo=None).astimezone().utcoffset()

    def dst(self, dt: datetime | None) -> timedelta | None:
        del dt  # the offset alone is asked for
        return None

    def fromutc(self, dt: datetime) -> datetime:
        moment = dt.replace(tzinfo=UTC)
        return moment.astimezone().replace(tzinfo=self)

    def tzname(self, dt: datetime | None) -> str | None:
        return None if dt is None else dt.replace(tzinfo=None).astimezone().tzname()
