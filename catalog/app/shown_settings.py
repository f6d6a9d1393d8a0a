"""Settings as `catalog settings` shows them. Imports no SQLAlchemy, so that the command starts fast."""

from __future__ import annotations

import re
from urllib.parse import unquote_plus

from catalog.app.settings import Settings

_SECRETS = {"password", "sslpassword", "passfile"}
_PASSWORD = re.compile(r"(?<=://)([^:/@]*):.*@", re.DOTALL)


def shown_settings(settings: Settings) -> list[tuple[str, object, str]]:
    """(``section.key``, value, origin) of each setting, without the password of the database's address."""
    return [
        (key, without_password(str(value)) if key == "database.url" else value, origin)
        for key, value, origin in settings.items()
    ]


def without_password(address: str) -> str:
    """The address of a database without its secrets. A path is returned as it is."""
    if "://" not in address:
        return address
    server, question_mark, query = _PASSWORD.sub(r"\1:***@", address).partition("?")
    return server + question_mark + "&".join(map(_without_secret, query.split("&")))


def _without_secret(parameter: str) -> str:
    name, equals, _ = parameter.partition("=")
    return f"{name}{equals}***" if unquote_plus(name).lower() in _SECRETS else parameter
