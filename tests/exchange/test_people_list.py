"""Lists of known people: folders of named photos, and CSV files."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from catalog.domain.errors import UsageError
from catalog.exchange.people_list import read_people_list


def photo(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"\xff\xd8")
    return path


def test_names_come_from_files_and_from_folders(tmp_path: Path) -> None:
    alone = photo(tmp_path / "Bea  Example.jpg")
    first, second = photo(tmp_path / "Ann Example" / "1.jpg"), photo(tmp_path / "Ann Example" / "old" / "2.png")
    photo(tmp_path / ".hidden" / "3.jpg")
    photo(tmp_path / "notes.txt")
    people = {person.name: person.photos for person in read_people_list(tmp_path).people}
    assert people == {"Ann Example": [first, second], "Bea Example": [alone]}


def test_an_empty_folder_is_no_list(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="contains no photo"):
        read_people_list(tmp_path)


def test_a_csv_file_gives_photos_birth_date_and_ids(tmp_path: Path) -> None:
    first, second = photo(tmp_path / "a" / "1.jpg"), photo(tmp_path / "2.jpg")
    list_file = tmp_path / "people.csv"
    list_file.write_text(
        "name,photos,birth_date,qid,gnd\n"
        "Ann Example,a/1.jpg,1950-02-03,Q1,\n"
        "Bea Example,,,,118\n"
        "Ann Example,2.jpg,,,\n",
        encoding="utf-8-sig",
    )
    ann, bea = read_people_list(list_file).people
    assert (ann.photos, ann.birth_date, ann.external_ids) == ([first, second], date(1950, 2, 3), {"qid": "Q1"})
    assert (bea.photos, bea.birth_date, bea.external_ids) == ([], None, {"gnd": "118"})


def test_rows_of_one_name_that_contradict_one_another_are_reported(tmp_path: Path) -> None:
    list_file = tmp_path / "people.csv"
    list_file.write_text("name,birth_date,qid\nAnn,1950-01-01,Q1\nAnn,1950-01-01,Q2\nAnn,1960-01-01,\n")
    listed = read_people_list(list_file)
    assert [person.external_ids for person in listed.people] == [{"qid": "Q1"}]
    assert [sentence.split(":")[0] for sentence in listed.conflicts] == ["Line 3", "Line 4"]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("photos\n1.jpg\n", 'lacks the column "name"'),
        ("name,photos\nAnn,missing.jpg\n", "Line 2: there is no file"),
        ("name,photos\nAnn,a\0b.jpg\n", "Line 2: there is no file"),
        ("name\n  \n", "Line 2 has no name"),
        ("name,birth_date\nAnn,3.2.1950\n", "is not YYYY-MM-DD"),
        ("name,Wikidata ID\nAnn,Q1\n", "cannot be the scheme"),
        ("name,qid\nAnn,Q1,Q2\n", "Line 2 has more cells"),
        ("name,qid\nAnn,\x1b[1m\n", "not printable text"),
        (f"name,qid\nAnn,{'Q' * 201}\n", "not printable text of at most 200"),
    ],
)
def test_a_malformed_list_is_refused_as_a_whole(tmp_path: Path, text: str, sentence: str) -> None:
    list_file = tmp_path / "people.csv"
    list_file.write_text(text)
    with pytest.raises(UsageError, match=sentence):
        read_people_list(list_file)


def test_a_list_that_is_not_utf_8_is_refused(tmp_path: Path) -> None:
    list_file = tmp_path / "people.csv"
    list_file.write_bytes(b"name\nJos\xe9\n")
    with pytest.raises(UsageError, match="not a CSV file in UTF-8"):
        read_people_list(list_file)
