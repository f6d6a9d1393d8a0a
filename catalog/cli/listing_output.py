"""Lines and JSON about files that a scan did not read: those left out by a rule, and those that are not photos."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

_RULES_SHOWN = 4
_ENDINGS_SHOWN = 8


def listing_json(left_out: Mapping[str, int], other_files: Mapping[str, int]) -> dict[str, object]:
    """The members ``left_out`` (number by rule) and ``other_files`` (number by ending)."""
    return {"left_out": dict(left_out), "other_files": dict(other_files)}


def listing_lines(left_out: Mapping[str, int], other_files: Mapping[str, int], *, verbose: bool) -> list[str]:
    """At most one line about left out entries and one about other files.

    With ``verbose`` there is a line for every rule, and every ending is named.
    """
    lines = []
    rules = Counter(left_out)
    if rules:
        lines.append(f"left out          {rules.total():>9,}   {_joined(rules, verbose=verbose)}".rstrip())
        if verbose:
            lines += [f"  {number:>9,} {rule}" for rule, number in rules.most_common()]
    if other_files:
        total = sum(other_files.values())
        shown = Counter(other_files).most_common(None if verbose else _ENDINGS_SHOWN)
        endings = ", ".join(f"{number:,} {ending}" for ending, number in shown)
        if rest := total - sum(number for _, number in shown):
            endings += f", {rest:,} with other endings (-v lists them)"
        lines.append(f"{total:,} {'file' if total == 1 else 'files'} not looked at: {endings}")
    return lines


def _joined(left_out: Counter[str], *, verbose: bool) -> str:
    if verbose:
        return "files and folders"
    shown = left_out.most_common(_RULES_SHOWN)
    text = ", ".join(f"{number:,} {rule}" for rule, number in shown)
    rest = left_out.total() - sum(number for _, number in shown)
    return f"{text}, {rest:,} by other rules (-v lists them)" if rest else text
