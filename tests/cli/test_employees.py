"""Claims that `catalog verify` refuses."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Catalog


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("id,photo\ne-1,one.jpg\n\ne-2\n", 'Line 4 of "{csv}" has no photo.'),
        ("id,photo\ne-1,\n", 'Line 2 of "{csv}" has no photo.'),
        ("id,photo\ne-1,one.jpg\ne-2,  \n", 'Line 3 of "{csv}" has no photo.'),
        ("id,photo\n ,one.jpg\n", 'Line 2 of "{csv}" has no id.'),
        ('id,photo,note\ne-1,one.jpg,"two\nlines"\ne-2,\n', 'Line 4 of "{csv}" has no photo.'),
        ("id,name\ne-1,one.jpg\n", '"{csv}" is not a CSV file with the columns id and photo.'),
        ("", '"{csv}" is not a CSV file with the columns id and photo.'),
    ],
)
def test_an_error_in_a_file_of_claims_has_a_line_number(
    catalog: Catalog, tmp_path: Path, content: str, sentence: str
) -> None:
    """Lines are counted as in an editor. No claim of the file is verified."""
    claims = tmp_path / "claims.csv"
    claims.write_text(content)
    refused = catalog("verify", "--csv", claims)
    assert (refused.code, refused.out) == (2, "")
    assert sentence.format(csv=claims) in refused.err


def test_the_help_says_that_a_printed_photo_passes(catalog: Catalog) -> None:
    """With a remedy. A user must not take the answer for a liveness check."""
    text = " ".join(catalog("verify", "--help").out.split())
    assert "There is no liveness check: a printed photo or a screen that shows the employee passes." in text
    assert "second factor" in text
    assert "worst measured group" in text


@pytest.mark.parametrize("arguments", [("e-1",), ("e-1", "one.jpg")])
def test_one_claim_and_a_file_of_claims_exclude_each_other(
    catalog: Catalog, tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    """The user would think that the single claim was verified."""
    (tmp_path / "claims.csv").write_text("id,photo\ne-1,one.jpg\n")
    refused = catalog("verify", *arguments, "--csv", tmp_path / "claims.csv")
    assert (refused.code, "not both" in refused.err) == (2, True)
