"""The public API: `import catalog` and the class Catalog."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import catalog


def test_import_catalog_loads_no_third_party_package():
    """`import catalog` loads no third-party package and no other module of the package."""
    code = (
        "import sys; before = set(sys.modules); import catalog; "
        "print(sorted(name for name in set(sys.modules) - before if name.split('.')[0] not in sys.stdlib_module_names))"
    )
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "['catalog']"


def test_each_public_name_can_be_loaded():
    """Every name of __all__ exists."""
    assert [name for name in catalog.__all__ if getattr(catalog, name, None) is None] == []


def test_an_unknown_name_is_an_attribute_error():
    """As in every module."""
    with pytest.raises(AttributeError, match="no attribute 'close'"):
        catalog.close  # noqa: B018


def test_the_package_is_marked_as_typed():
    """py.typed lies beside the package's modules."""
    assert Path(catalog.__file__).with_name("py.typed").exists()


def test_a_missing_catalogue_is_a_database_error(tmp_path):
    """A mistyped path does not create an empty catalogue. The error has an exit code and a remedy."""
    with catalog.open(tmp_path / "none.sqlite3") as opened, pytest.raises(catalog.DatabaseError) as caught:
        opened.people()
    assert caught.value.exit_code == 6
    assert caught.value.remedy
    assert not (tmp_path / "none.sqlite3").exists()


def test_read_only_reads_a_missing_catalogue_as_empty_and_writes_nothing(tmp_path):
    """read_only creates nothing, and refuses calls that write."""
    with catalog.open(tmp_path / "none.sqlite3", read_only=True) as opened:
        assert opened.people() == ()
        assert opened.status().photos == 0
        with pytest.raises(catalog.UsageError, match="read-only"):
            opened.decisions.hide("Ann")
    assert not (tmp_path / "none.sqlite3").exists()


def test_the_address_shows_no_password(tmp_path):
    """It is that of the status. A catalogue that cannot be opened has one, too."""
    with catalog.open(tmp_path / "one.sqlite3", create=True) as opened:
        assert opened.address == opened.status().database == str(tmp_path / "one.sqlite3")
    with catalog.open("postgresql://ann:secret@nowhere.invalid/photos") as opened:
        assert "nowhere.invalid/photos" in opened.address
        assert "secret" not in opened.address


def test_an_empty_source_is_a_usage_error(tmp_path, monkeypatch):
    """An unset variable in a script does not mean the current folder."""
    monkeypatch.chdir(tmp_path)
    with catalog.open(tmp_path / "catalog.sqlite3") as opened:
        for call in (opened.plan, opened.scan, opened.refresh_dates):
            with pytest.raises(catalog.UsageError, match="source is empty"):
                call([""])
    assert list(tmp_path.iterdir()) == []


def test_a_closed_catalogue_raises_usage_error(tmp_path):
    """`with` closes; every later call raises UsageError; closing twice is allowed."""
    with catalog.open(tmp_path / "one.sqlite3", create=True) as opened:
        assert opened.people() == ()
    opened.close()
    for call in (opened.people, opened.status, opened.decisions.history, opened.decisions.undo):
        with pytest.raises(catalog.UsageError, match="closed"):
            call()


def test_settings_are_checked_at_once():
    """catalog.open raises SettingsError before anything is opened."""
    with pytest.raises(catalog.SettingsError, match="engine"):
        catalog.open(settings={"engine.name": "nonsense"})
