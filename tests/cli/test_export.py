"""`catalog export` and `catalog import`: names are exported from one catalogue and enter another as decisions."""

from __future__ import annotations

import json
import shutil

import pytest

from catalog.cli.main import run
from catalog.store.database import Database, open_database
from catalog.store.tables import assignments, decisions, persons
from tests.red_face_photos import BOX, add_person, add_photo, save_photo

__all__ = ["add_person", "add_photo"]


@pytest.fixture
def database(tmp_path, sqlite_template):
    """A catalogue on SQLite, closed before a command opens it."""
    shutil.copyfile(sqlite_template, tmp_path / "catalog.db")
    opened = open_database(str(tmp_path / "catalog.db"))
    yield opened
    opened.close()


def names(database: Database) -> dict[str, str | None]:
    with database.read() as connection:
        rows = connection.exec_driver_sql("SELECT face_id, name FROM v1_appearances ORDER BY face_id")
        return dict(tuple(row) for row in rows)


def test_exported_names_are_imported_as_decisions(database, add_person, add_photo, tmp_path, capsys):
    """After an export and a loss of names, an import restores them as decisions. A second import adds none."""
    ada = add_person("Ada")
    for number in range(3):
        path = save_photo(tmp_path / f"{number}.png")
        path.write_bytes(path.read_bytes() + bytes([number]))
        add_photo(path, people=((BOX, ada),))
    address = ["--database", str(database.path)]
    assert run(["export", "xmp", *address]) == 0
    with database.begin() as connection:
        connection.execute(persons.update().values(name=None))
        connection.execute(assignments.update().values(by="cluster"))
    assert run(["import", "xmp", "--dry-run", *address]) == 0
    assert set(names(database).values()) == {None}
    assert run(["import", "xmp", *address]) == 0
    assert set(names(database).values()) == {"Ada"}
    with database.read() as connection:
        verbs = [row.verb for row in connection.execute(decisions.select())]
    assert sorted(verbs) == ["confirm"] * 3 + ["name"]
    assert run(["import", "xmp", *address]) == 0
    with database.read() as connection:
        assert len(connection.execute(decisions.select()).all()) == 4
    assert "3 confirmed before" in capsys.readouterr().out


def test_a_csv_names_people_and_faces(database, add_person, add_photo, tmp_path):
    """person_id names a person. face_id names one face, which moves to the person of that name."""
    first, second = add_person(None), add_person("Bob")
    box = BOX
    rows = []
    for number, person in enumerate((first, first, second)):
        path = save_photo(tmp_path / f"{number}.png")
        path.write_bytes(path.read_bytes() + bytes([number]))
        rows.append(add_photo(path, people=((box, person),)))
    (tmp_path / "names.csv").write_text(f"person_id,face_id,name\np00000000,,Ada\n,{rows[2]:08d}-0,Ada\n")
    assert run(["import", "csv", str(tmp_path / "names.csv"), "--database", str(database.path)]) == 0
    assert set(names(database).values()) == {"Ada"}


def test_an_unknown_face_or_person_stops_the_whole_import(database, add_person, add_photo, tmp_path, capsys):
    """No line of a file with one wrong line is entered."""
    add_person(None)
    add_photo(save_photo(tmp_path / "a.png"))
    (tmp_path / "names.csv").write_text("person_id,name\np00000000,Ada\np99999999,Eve\n")
    assert run(["import", "csv", str(tmp_path / "names.csv"), "--database", str(database.path)]) == 2
    assert "p99999999" in capsys.readouterr().err
    assert set(names(database).values()) == {None}


def test_an_album_holds_the_photos_that_show_everyone_named(database, add_person, add_photo, tmp_path):
    """All persons must be on the same photo. Without a folder the command is refused."""
    ada, bob = add_person("Ada"), add_person("Bob")
    box = BOX
    for number, people in enumerate((((box, ada),), ((box, ada), (box, bob)), ((box, bob),))):
        path = save_photo(tmp_path / f"{number}.png")
        path.write_bytes(path.read_bytes() + bytes([number]))
        add_photo(path, people=people)
    address = ["--database", str(database.path)]
    assert run(["export", "album", "Ada", "Bob", "--copy-to", str(tmp_path / "both"), *address]) == 0
    assert [path.name for path in (tmp_path / "both").iterdir()] == ["1.png"]
    assert run(["export", "album", "Bob", "--only", "--link-to", str(tmp_path / "alone"), *address]) == 0
    assert [path.name for path in (tmp_path / "alone").iterdir()] == ["2.png"]
    assert run(["export", "album", "Ada", *address]) == 2
    assert run(["export", "album", "Eve", "--copy-to", str(tmp_path / "x"), *address]) == 2


def test_photos_in_a_bucket_need_a_folder_for_their_sidecars(database, add_person, add_photo, tmp_path, capsys):
    """Without the folder: a message. With it: the names are exported and imported."""
    add_person("Ada")
    add_photo(save_photo(tmp_path / "photo.jpg"))
    with database.begin() as connection:
        connection.exec_driver_sql("UPDATE locations SET uri = 's3://bucket/photo.jpg'")
    address = ["--database", str(database.path)]
    assert run(["export", "xmp", *address]) == 0
    assert "1 photos are not files. Name a folder for their sidecars with --into." in capsys.readouterr().err
    assert run(["import", "xmp", *address]) == 0
    assert "--into" in capsys.readouterr().err
    into = ["--into", str(tmp_path / "sidecars")]
    assert run(["export", "xmp", *into, *address]) == 0
    assert (tmp_path / "sidecars" / "bucket" / "photo.jpg.xmp").exists()
    with database.begin() as connection:
        connection.exec_driver_sql("UPDATE persons SET name = NULL")
    capsys.readouterr()
    assert run(["import", "xmp", *into, *address]) == 0
    assert "1 person named" in capsys.readouterr().out


def test_status_names_a_missing_catalogue(tmp_path, capsys):
    """The command creates no catalogue."""
    path = tmp_path / "nowhere.sqlite3"
    assert run(["status", "--database", str(path)]) == 0
    assert capsys.readouterr().out.splitlines() == [
        f"catalogue  {path}, which does not exist yet",
        "No scan yet. `catalog scan FOLDER` runs the first.",
    ]
    assert run(["status", "--json", "--database", str(path)]) == 0
    assert json.loads(capsys.readouterr().out)["database"] == str(path)
    assert not path.exists()


def test_status_reports_and_sql_print_json(database, add_person, add_photo, tmp_path, capsys):
    """The output holds the rows of the catalogue."""
    add_person("Ada")
    add_photo(save_photo(tmp_path / "a.png"))
    address = ["--database", str(database.path)]
    assert run(["status", "--json", *address]) == 0
    status = json.loads(capsys.readouterr().out)
    assert (status["photos"], status["faces"], status["people"], status["named_people"]) == (1, 1, 1, 1)
    assert run(["report", "people", "--format", "json", *address]) == 0
    assert [row["name"] for row in json.loads(capsys.readouterr().out)] == ["Ada"]
    assert run(["sql", "SELECT name, photos FROM v1_people", "--format", "csv", *address]) == 0
    assert capsys.readouterr().out == "name,photos\nAda,1\n"
    assert run(["sql", "DROP TABLE photos", *address]) == 2
    assert run(["report", "weather", *address]) == 2
    assert run(["report", "costs", "--person", "Ada", *address]) == 2
    assert run(["report", "html", str(tmp_path / "pages"), *address]) == 0
    assert (tmp_path / "pages" / "index.html").exists()
    assert run(["report", "people", "--format", "parquet", *address]) == 2
    assert run(["report", "people", "--format", "parquet", "-o", str(tmp_path / "p.parquet"), *address]) == 0
