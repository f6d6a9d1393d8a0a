"""Placeholders: names that programs write for faces without a known person. They name no person."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

_BY_PROGRAM = {
    "Picasa": ("ffffffffffffffff", "0", "ignoreface", "unknownface"),
    "digiKam": ("Unknown", "Unconfirmed", "Ignored"),
    "osxphotos": ("_UNKNOWN_",),
    "LibrePhotos": ("Unknown - Other",),
    "Windows Photo Gallery": ("Unnamed", "Add a name", "Who is this"),
}
_BY_LANGUAGE = {
    "English": ("Ignore", "Unknown Person", "Unnamed Person", "Not a face", "No name", "n/a", "none", "null"),
    "German": ("Unbekannt", "Ignoriert", "Unbestätigt", "Unbenannt"),
    "French": ("Inconnu", "Inconnue", "Ignoré", "Sans nom"),
    "Spanish": ("Desconocido", "Desconocida", "Ignorado", "Sin nombre"),
    "Italian": ("Sconosciuto", "Sconosciuta", "Ignorato", "Senza nome"),
    "Dutch": ("Onbekend", "Genegeerd"),
    "Portuguese": ("Desconhecido", "Desconhecida"),
    "Swedish": ("Okänd",),
    "Danish": ("Ukendt",),
    "Norwegian": ("Ukjent",),
    "Finnish": ("Tuntematon",),
    "Polish": ("Nieznany", "Nieznana"),
    "Czech": ("Neznámý", "Neznámá"),
    "Hungarian": ("Ismeretlen", "Név nélküliek"),
    "Russian": ("Неизвестный", "Неизвестно"),
    "Japanese": ("不明",),
    "Chinese": ("未知",),
    "Korean": ("알 수 없음",),
}
_NUMBERED = re.compile(r"(person|face|people|visage|gesicht|unknown|unbekannt)?\d+")
_IDENTIFIER = re.compile(r"[0-9a-f]{15,16}|[0-9a-f]{32}")
_IGNORED_CHARACTERS = re.compile(r"[\s_\-?()\[\]{}/.]")


def _folded(name: str) -> str:
    return _IGNORED_CHARACTERS.sub("", unicodedata.normalize("NFKC", name).casefold())


_PLACEHOLDERS = {_folded(name) for names in (*_BY_PROGRAM.values(), *_BY_LANGUAGE.values()) for name in names}


def is_placeholder(name: str, further_placeholders: Iterable[str] = ()) -> bool:
    """Return True if the whole name is a placeholder, a number, or an identifier of a program.

    Ignores case, blanks and the characters ``_-?()[]{}/.``. ``more``: further placeholders, from the settings.
    """
    folded = _folded(name)
    return (
        not folded
        or folded in _PLACEHOLDERS
        or bool(_NUMBERED.fullmatch(folded) or _IDENTIFIER.fullmatch(folded))
        or folded in {_folded(extra) for extra in further_placeholders}
    )
