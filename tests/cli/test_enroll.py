"""`catalog enroll`, `catalog employees` and `catalog audit` on real portraits."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from tests.cli.conftest import PORTRAITS, Catalog

OBAMA, AGAIN, BIDEN = (PORTRAITS / f"{name}.jpg" for name in ("obama_1", "obama_2", "biden"))

SMILING = "--allow-open-mouth"
"""The portraits show smiles with teeth."""


@pytest.mark.usefixtures("on_database")
def test_employees_of_a_file_are_enrolled_listed_and_logged(catalog: Catalog, tmp_path: Path) -> None:
    """Refused photos are named with their reasons, and the others are enrolled. A second run changes nothing."""
    (tmp_path / "text.jpg").write_text("no photo")
    rows = [("1017", OBAMA), ("1018", BIDEN), ("1019", AGAIN), ("1020", tmp_path / "text.jpg"), ("1021", "none.jpg")]
    table = tmp_path / "employees.csv"
    table.write_text("id,photo\n" + "".join(f"{employee},{photo}\n" for employee, photo in rows))
    for _ in range(2):
        answer = catalog("enroll", "--from", table, "--json", SMILING)
        assert answer.code == 9
        verdicts = {row["id"]: (row["verdict"], " ".join(row["reasons"])) for row in answer.json}
        assert verdicts["1017"] == verdicts["1018"] == ("enrolled", "")
        assert 'enrolled under the id "1017"' in verdicts["1019"][1]
        assert "cannot be used" in verdicts["1020"][1]
        assert "cannot be read" in verdicts["1021"][1]
    listed = catalog("employees", "list", "--json").json
    assert [(row["id"], row["references"]) for row in listed] == [("1017", 1), ("1018", 1)]
    assert catalog("status", "--json").json["employees"] == 2
    assert "2 enrolled for verification" in catalog("status").out
    entries = [line["content"] for line in catalog("audit", "--json").json_lines]
    logged = {entry["employee_id"]: (entry["verdict"], entry["photo_sha256"]) for entry in entries}
    assert logged == {
        "1017": ("enrolled", hashlib.sha256(OBAMA.read_bytes()).hexdigest()),
        "1018": ("enrolled", hashlib.sha256(BIDEN.read_bytes()).hexdigest()),
        "1019": ("refused", hashlib.sha256(AGAIN.read_bytes()).hexdigest()),
        "1020": ("failed", hashlib.sha256(b"no photo").hexdigest()),
        "1021": ("failed", None),
    }
    assert len(entries) == 10


def test_the_same_face_is_enrolled_under_two_ids_if_the_user_says_so(catalog: Catalog) -> None:
    assert catalog("enroll", "1017", OBAMA, SMILING).code == 0
    refused = catalog("employees", "enroll", "1018", AGAIN, SMILING)
    assert (refused.code, "refused." in refused.out) == (9, True)
    assert catalog("enroll", "1018", AGAIN, "--allow-same-face", SMILING).out.endswith("obama_2.jpg: enrolled\n")


def test_a_smile_with_teeth_is_enrolled_if_the_user_says_so(catalog: Catalog) -> None:
    refused = catalog("enroll", "1017", OBAMA)
    assert (refused.code, "The mouth is open." in refused.out) == (9, True)
    assert catalog("enroll", "1017", OBAMA, SMILING).code == 0


def test_an_unknown_id_is_in_the_log(catalog: Catalog) -> None:
    """With the photo, in one line of the text output."""
    catalog("enroll", "1017", OBAMA, SMILING)
    assert catalog("verify", "9999", BIDEN).code == 2
    line = catalog("audit").out.splitlines()[-1]
    sha256 = hashlib.sha256(BIDEN.read_bytes()).hexdigest()
    assert line.split()[-4:] == ["verify", "failed", sha256[:12], "9999"]


def test_a_removed_employee_is_not_listed(catalog: Catalog) -> None:
    catalog("enroll", "1017", OBAMA, SMILING)
    assert "1 entry of the verification log" in catalog("employees", "remove", "1017").out
    assert catalog("employees", "list").out == "No employee is enrolled.\n"
    assert catalog("status", "--json").json["employees"] == 0
    assert catalog("audit").code == 0


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("1017",), "no photo to enroll"),
        (("1017", OBAMA, "--from", "employees.csv"), "not both"),
        (("1017", OBAMA, "--remove"), "--remove takes an id and no photos"),
        (("\x1b[1m", OBAMA), "An id must be text on one line"),
        (("1" * 201, OBAMA), "at most 200"),
    ],
    ids=["no photo", "file and id", "remove and photo", "escape", "long"],
)
def test_a_wrong_enrollment_is_a_usage_error(catalog: Catalog, arguments: tuple[object, ...], sentence: str) -> None:
    refused = catalog("enroll", *arguments)
    assert (refused.code, refused.out) == (2, "")
    assert sentence in refused.err
    assert "\x1b" not in refused.err


def test_a_file_without_its_columns_is_refused(catalog: Catalog, tmp_path: Path) -> None:
    (tmp_path / "employees.csv").write_text("name,file\nAnn,ann.jpg\n")
    refused = catalog("enroll", "--from", tmp_path / "employees.csv")
    assert (refused.code, "columns id and photo" in refused.err) == (2, True)
