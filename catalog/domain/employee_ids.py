"""Ids of employees: the user's own ids, stored and logged as they are."""

from __future__ import annotations

from catalog.domain.errors import UsageError

MAX_ID_LENGTH = 200
"""Longest id of an employee in characters."""


def check_employee_id(employee_id: str) -> str:
    """Return the id. Raises ``UsageError`` unless it is printable text on one line, of at most 200 characters."""
    if not employee_id.strip() or not employee_id.isprintable():
        raise UsageError("An id must be text on one line.")
    if len(employee_id) > MAX_ID_LENGTH:
        raise UsageError(f"The id has {len(employee_id):,} characters; at most {MAX_ID_LENGTH} are allowed.")
    return employee_id
