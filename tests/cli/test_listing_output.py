"""Lines about files that a scan did not read."""

from __future__ import annotations

from catalog.cli.listing_output import listing_lines

ENDINGS = {f".e{number:02}": 100 - number for number in range(20)}


def test_the_line_names_the_most_frequent_endings() -> None:
    """A folder of programs has a hundred endings."""
    [line] = listing_lines({}, ENDINGS, verbose=False)
    assert line.startswith("1,810 files not looked at: 100 .e00, 99 .e01, ")
    assert line.endswith(", 93 .e07, 1,038 with other endings (-v lists them)")


def test_verbose_names_every_ending() -> None:
    """The number of the last ending is in the line."""
    [line] = listing_lines({}, ENDINGS, verbose=True)
    assert line.endswith("81 .e19")
