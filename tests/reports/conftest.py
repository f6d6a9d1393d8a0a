"""The photos with red faces of the exchange's tests serve the pages too."""

from __future__ import annotations

from tests.exchange.conftest import add_person, add_photo

__all__ = ["add_person", "add_photo"]
