"""Claims that `catalog verify` cannot try, as a user gives them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Catalog


@pytest.mark.parametrize(
    ("content", "told"),
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
def test_a_file_of_claims_is_told_where_it_is_wrong(catalog: Catalog, tmp_path: Path, content: str, told: str) -> None:
    """The line as an editor counts it; nothing of the file is tried."""
    claims = tmp_path / "claims.csv"
    claims.write_text(content)
    refused = catalog("verify", "--csv", claims)
    assert (refused.code, refused.out) == (2, "")
    assert told.format(csv=claims) in refused.err


@pytest.mark.parametrize("given", [("e-1",), ("e-1", "one.jpg")])
def test_one_claim_and_a_file_of_claims_exclude_each_other(
    catalog: Catalog, tmp_path: Path, given: tuple[str, ...]
) -> None:
    """Whoever gives both would take the one for answered."""
    (tmp_path / "claims.csv").write_text("id,photo\ne-1,one.jpg\n")
    refused = catalog("verify", *given, "--csv", tmp_path / "claims.csv")
    assert (refused.code, "not both" in refused.err) == (2, True)
