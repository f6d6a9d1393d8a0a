"""Regression tests of commands: each test is for a bug that was fixed."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest
from PIL import Image
from sqlalchemy import make_url

from catalog.cli import main
from catalog.store.database_address import safe_form

PORTRAITS = Path(__file__).parent.parent / "fixtures"


@pytest.fixture
def folder(tmp_path):
    path = tmp_path / "photos"
    path.mkdir()
    (path / "a.jpg").write_bytes((PORTRAITS / "biden.jpg").read_bytes())
    return path


def test_a_password_in_the_query_of_an_address_is_not_shown():
    """The library libpq reads a password from the query too."""
    assert "s3cret" not in safe_form(make_url("postgresql+psycopg://me@host/name?password=s3cret"))


def test_settings_show_no_password(catalog, monkeypatch):
    """Users paste the output of `catalog settings` into bug reports."""
    monkeypatch.setenv("CATALOG_DATABASE_URL", "postgresql://me:s3cret@host/name")
    out = catalog("settings").out
    assert "s3cret" not in out


def test_a_source_given_twice_is_listed_once(catalog, folder):
    """`catalog scan photos photos/` finds one photo."""
    out = catalog("scan", folder, f"{folder}/", f"{folder}/.", "--json").out
    assert json.loads(out.splitlines()[-1])["discovered"] == 1


def test_the_same_address_is_the_same_catalogue_for_every_command(catalog, folder):
    """A ~ in a url means the home folder for commands that write and for commands that read."""
    answer = catalog("scan", folder, "--database", "sqlite:///~/mine.sqlite3")
    assert answer.code == 0
    out = catalog("people", "list", "--json", "--database", "sqlite:///~/mine.sqlite3").out
    assert len(json.loads(out)) == 1


def test_a_question_mark_in_a_path_is_part_of_it(catalog, folder, tmp_path):
    """The created file has the given name."""
    path = tmp_path / "what?.sqlite3"
    catalog("scan", folder, "--database", path)
    assert path.exists()


def test_a_backup_of_no_catalogue_says_so(catalog, tmp_path):
    """A message, and exit code 2."""
    answer = catalog("backup", tmp_path / "b.sqlite3")
    assert answer.code in (2, 6), answer.err


def test_find_person_prints_the_face_that_it_used(catalog, folder, tmp_path):
    """--face 2 answers with face 2."""
    catalog("scan", folder)
    left_half, right_half = (
        Image.open(PORTRAITS / name).convert("RGB").resize((400, 500)) for name in ("obama_1.jpg", "biden.jpg")
    )
    collage = Image.new("RGB", (900, 500))
    collage.paste(left_half, (0, 0))
    collage.paste(right_half.resize((320, 400)), (450, 0))
    collage.save(tmp_path / "both.jpg", quality=95)
    answer = catalog("find-person", tmp_path / "both.jpg", "--face", "2", "--json")
    assert answer.code == 0, answer.err
    assert answer.json["reference"]["face"] == 2


def test_a_name_that_is_not_utf_8_is_refused(catalog, folder):
    """Bytes of another encoding on the command line are a wrong argument, not a bug."""
    catalog("scan", folder)
    out = catalog("people", "list", "--json").out
    person = json.loads(out)[0]["person"]
    answer = catalog("people", "name", person, "Ren\udce9")
    assert answer.code == 2, answer.err
    assert "not valid UTF-8" in answer.err


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("undo", "x"), "Write a whole number, such as 12."),
        (("undo", "99999999999999999999"), "The number is too large."),
        (("scan", ".", "--max-cost", "x"), "Write a number, such as 0.5."),
        (("review", "--port", "99999"), "The number is 65535 at most."),
        (("find-person", "a.jpg", "--threshold", "-1"), "The number is 0 at least."),
        (("export", "xmp", "--into", ""), "Invalid value for '--into': The path is empty."),
        (("export", "xmp", "--into="), "Invalid value for '--into': The path is empty."),
        (("analyze", "a.jpg", ""), "The path is empty."),
        (("report", "html", ""), "The path is empty."),
        (("restore", ""), "The path is empty."),
    ],
)
def test_a_wrong_argument_is_refused_in_one_plain_sentence(catalog, arguments, sentence):
    """An empty path is a variable of a script that is not set, and does not mean the current folder."""
    answer = catalog(*arguments)
    assert answer.code == 2
    assert sentence in answer.err


def test_the_current_folder_is_a_path(catalog, folder, monkeypatch, tmp_path):
    """Written as a dot."""
    catalog("scan", str(folder))
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    assert catalog("report", "html", ".").code == 0
    assert (tmp_path / "here" / "index.html").exists()


def test_the_id_of_a_person_is_no_name(catalog, folder):
    """Commands would take it for that person."""
    catalog("scan", str(folder))
    catalog("scan", str(PORTRAITS))
    one, other = (person["person"] for person in catalog("people", "list", "--json").json[:2])
    answer = catalog("people", "name", one, other)
    assert answer.code == 2
    assert f'"{other}" is the id of a person' in answer.err
    assert catalog("people", "name", one, "Ann").code == 0


def test_a_backup_works_on_a_disk_without_hard_links(catalog, folder, tmp_path, monkeypatch):
    """FAT, exFAT and many network shares have no hard links."""

    def refuse(*_args, **_options):
        raise PermissionError(1, "Operation not permitted")

    catalog("scan", folder)
    monkeypatch.setattr(os, "link", refuse)
    answer = catalog("backup", tmp_path / "b.sqlite3")
    assert answer.code == 0, answer.err
    assert (tmp_path / "b.sqlite3").exists()


def test_a_state_folder_that_cannot_be_created_is_no_bug(catalog, folder, guarded_home, monkeypatch):
    """A service may have no home folder: one message, exit code 5 or 2."""
    blocked = guarded_home / "blocked"
    blocked.write_text("")
    monkeypatch.setenv("XDG_STATE_HOME", str(blocked))
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "x")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
    monkeypatch.setenv("CATALOG_REKOGNITION_REGION", "eu-west-1")
    monkeypatch.setenv("CATALOG_REKOGNITION_ENDPOINT_URL", "http://127.0.0.1:9")
    answer = catalog("scan", folder, "--engine", "rekognition")
    assert answer.code in (2, 5), answer.err


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--face", "1", "--all-faces"], "exclude each other"),
        (["--since", "2020-01-02", "--until", "2020-01-01"], "from 2020-01-02 to 2020-01-01 is empty"),
        (["--not", "{blank}"], "blank.jpg"),
    ],
)
def test_a_search_with_contradictory_options_is_refused(catalog, folder, tmp_path, options, sentence):
    """With the reason, or the name of the photo."""
    Image.new("RGB", (300, 200), "grey").save(tmp_path / "blank.jpg")
    catalog("scan", folder)
    words = [option.format(blank=tmp_path / "blank.jpg") for option in options]
    answer = catalog("find-person", PORTRAITS / "biden.jpg", *words)
    assert (answer.code, sentence in answer.err) == (2, True)


def test_an_interrupted_import_is_no_bug(monkeypatch, capsys):
    """Ctrl-C within the import of a module in C ends as an ImportError, whose cause is the KeyboardInterrupt."""

    def interrupted_import():
        try:
            raise KeyboardInterrupt
        except KeyboardInterrupt as error:
            raise ImportError("initialization failed") from error

    monkeypatch.setattr(main, "command_group", interrupted_import)
    assert main.run(["status"]) == 130
    assert "bug" not in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["scan", "http://example.com/a"], '"http://example.com/a" is no source.'),
        (["sql", " -- nothing"], "The statement is empty."),
        (["report", "people", "--format", "xml"], "Invalid value for '--format': 'xml' is not one of"),
    ],
)
def test_a_refused_value_has_a_plain_reason(catalog, folder, arguments, sentence):
    """The address keeps its slashes, and no sentence begins with the words of another library."""
    catalog("scan", folder)
    answer = catalog(*arguments)
    assert answer.code == 2
    assert sentence in answer.err


def test_a_report_as_parquet_leaves_no_empty_file(catalog, folder, tmp_path, monkeypatch):
    """Without pyarrow nothing is written."""
    catalog("scan", folder)
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    assert catalog("report", "people", "--format", "parquet", "--output", tmp_path / "people.parquet").code == 2
    assert not (tmp_path / "people.parquet").exists()


def test_a_digest_that_the_log_does_not_contain_is_named(catalog, folder):
    """No entry was changed, so no entry is blamed."""
    catalog("scan", folder)
    answer = catalog("audit", "--expect", "abc")
    assert answer.code == 9
    assert 'does not contain the digest "abc"' in answer.err
