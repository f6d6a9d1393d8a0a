"""Leave out the steps after a scan that brings no news, if they had nothing to do the last time.

The steps read all faces and search the gallery, which takes minutes in a large catalogue. They follow from facts of the
catalogue and from settings. While these are the same, the steps find nothing to do again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from importlib.metadata import version
from typing import TypeVar

from sqlalchemy import Connection

from catalog.app.resources import Resources
from catalog.domain.photos import OutcomeKind
from catalog.domain.timestamps import utc_text
from catalog.scanning.summary import Summary
from catalog.store.database import SCHEMA
from catalog.store.review_rows import ANSWER_DAYS
from catalog.store.settled_state import (
    SettledState,
    facts_now,
    is_anything_due,
    read_settled_state,
    write_settled_state,
)

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class ScanEnd:
    """The end of one scan, before its steps."""

    resources: Resources
    scan_id: int
    summary: Summary

    def run_if_needed(self, steps: Callable[[], T], nothing: T) -> T:
        """Run the steps, or return ``nothing`` if they would find nothing to do.

        They always run for a paid engine: it has searches that were left out for their price.
        """
        if self.resources.configured_engine.capabilities.is_paid:
            return steps()
        before = self._basis()
        with self.resources.database.read() as connection:
            state = read_settled_state(connection)
            if state is not None and state.basis == before and self._brings_no_news and not self._is_due(connection):
                self.summary.conflicts += state.conflicts
                return nothing
        conflicts, churn = self.summary.conflicts, self.summary.churn
        result = steps()
        if self._basis() == before and self.summary.churn == churn:
            with self.resources.database.begin() as connection:
                write_settled_state(connection, SettledState(before, self.summary.conflicts - conflicts))
        return result

    @property
    def _brings_no_news(self) -> bool:
        """Nothing was recorded of any photo. Photos that cannot be read are tried by every scan."""
        outcomes = self.summary.outcomes
        without_news = self.summary.untouched + outcomes[OutcomeKind.FAILED] + outcomes[OutcomeKind.SKIPPED]
        return self.summary.discovered == without_news

    def _is_due(self, connection: Connection) -> bool:
        now = datetime.now(UTC)
        return is_anything_due(
            connection,
            self.resources.configured_engine.name,
            self.resources.gallery,
            skips_before=utc_text(now) or "",
            answers_before=utc_text(now - timedelta(days=ANSWER_DAYS)) or "",
        )

    def _basis(self) -> str:
        """Hash of the facts, the settings and the program that the steps depend on."""
        resources = self.resources
        engine = resources.configured_engine
        with resources.database.read() as connection:
            facts = facts_now(connection, engine.name, resources.gallery, scan_id=self.scan_id)
        settings = resources.settings
        program = (
            version("face-catalog"),
            SCHEMA,
            engine.known_model,
            settings.engine,
            settings.identities,
            settings.scan,
        )
        return sha256(repr((facts, resources.gallery, program)).encode()).hexdigest()
