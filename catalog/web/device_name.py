"""The name of a device that signs in, for the question at the terminal."""

from __future__ import annotations

import re

from catalog.domain.uri import display_name

_DEVICES = ("iPhone", "iPad", "Android", "Windows", "Macintosh", "CrOS", "Linux")


def device_name(user_agent: str, host: str) -> str:
    """A device as a terminal shows it: the kind that its browser states, and its address."""
    kind = next((device for device in _DEVICES if re.search(rf"\b{device}\b", user_agent)), "unknown device")
    return f"{kind}, {display_name(host)}"
