"""Settings: defaults < file < environment < flags, and one error for all problems."""

from __future__ import annotations

import tomllib
from dataclasses import fields

import pytest

from catalog.app.renamed_settings import NEW_KEY_BY_OLD
from catalog.app.settings import default_file, load_settings, sections, variable
from catalog.domain.errors import SettingsError


def test_every_setting_has_a_default_and_every_default_is_a_setting():
    """The default file and the typed sections name the same keys."""
    default_tables = tomllib.loads(default_file().read_text())
    assert {name: set(table) for name, table in default_tables.items()} == {
        name: {field.name for field in fields(kind)} for name, kind in sections().items()
    }


def test_every_default_is_explained():
    """Each key in the default file has a comment in the line above it."""
    lines = default_file().read_text().splitlines()
    keys = [number for number, line in enumerate(lines) if "=" in line and not line.startswith(("#", " ", "[", "]"))]
    assert [lines[number] for number in keys if not lines[number - 1].startswith("#")] == []


def test_the_environment_overrides_the_file_and_flags_override_both(tmp_path):
    """Later sources win: file, environment, flags. Each value has its origin."""
    file = tmp_path / "catalog.toml"
    file.write_text('[engine]\ngallery = "from-file"\n[find]\nlimit = 7\nthreshold = 70\n')
    settings = load_settings(
        file,
        {"CATALOG_FIND_LIMIT": "8", "CATALOG_FIND_THRESHOLD": "75"},
        {"find.threshold": 99.0, "scan.workers": None},
    )
    assert (settings.engine.gallery, settings.find.limit, settings.find.threshold) == ("from-file", 8, 99.0)
    assert settings.origins["engine.gallery"] == str(file)
    assert settings.origins["find.limit"] == "CATALOG_FIND_LIMIT"
    assert settings.origins["find.threshold"] == "command line"
    assert settings.origins["scan.workers"] == "default"


def test_all_problems_are_one_error_with_the_nearest_key(tmp_path):
    """A misspelled key, a value out of range and a wrong word are one error with three sentences."""
    file = tmp_path / "catalog.toml"
    file.write_text('[engine]\nnam = "local"\nquality_filter = "best"\n')
    with pytest.raises(SettingsError) as caught:
        load_settings(file, {"CATALOG_IMAGES_MAX_SIDE": "3"})
    assert caught.value.exit_code == 2
    assert len(caught.value.problems) == 3
    assert 'Did you mean "engine.name"?' in caught.value.problems[0]
    assert "'none', 'auto', 'low', 'medium', 'high'" in caught.value.problems[1]
    assert "is 3, outside 320 to 10000" in caught.value.problems[2]


@pytest.mark.parametrize("name", ["", "bad name/x", "familie-fotos-ü", "photos\n", "a" * 256])
@pytest.mark.parametrize("engine", ["local", "rekognition"])
def test_a_gallery_s_name_is_one_that_amazon_allows_for_a_collection(name, engine):
    """For every engine, so that the settings fit the other engine too. The message quotes the name."""
    with pytest.raises(SettingsError) as caught:
        load_settings(environ={"CATALOG_ENGINE_GALLERY": name, "CATALOG_ENGINE_NAME": engine})
    assert caught.value.exit_code == 2
    assert caught.value.problems == [
        f'"engine.gallery" in CATALOG_ENGINE_GALLERY is {name!r}, not 1 to 255 of A-Z, a-z, 0-9 and _ . -.'
    ]


@pytest.mark.parametrize("name", ["catalog", "Family_2026.v-1", "a" * 255])
def test_a_gallery_may_be_named_with_letters_digits_and_three_marks(name):
    """The settings page documents this rule."""
    assert load_settings(environ={"CATALOG_ENGINE_GALLERY": name}).engine.gallery == name


def test_a_misspelled_variable_is_an_error_and_other_variables_are_ignored():
    """CATALOG_ENGIN_NAME is a misspelling. CATALOG_OF_STARS belongs to another program."""
    with pytest.raises(SettingsError, match="Did you mean"):
        load_settings(environ={"CATALOG_ENGIN_NAME": "local"})
    assert load_settings(environ={"CATALOG_OF_STARS": "Messier"}).engine.name == "local"


@pytest.mark.parametrize("content", [b"[engine\n", b"\xff\xfe\x00"])
def test_a_file_that_is_no_toml_is_a_problem_with_its_name(tmp_path, content):
    """A broken file ends in a sentence, not in a traceback."""
    file = tmp_path / "catalog.toml"
    file.write_bytes(content)
    with pytest.raises(SettingsError, match="cannot be read"):
        load_settings(file, {})


def test_a_given_settings_file_must_exist(tmp_path):
    """A missing settings file of --config is an error."""
    with pytest.raises(SettingsError, match="does not exist"):
        load_settings(tmp_path / "none.toml", {})


def test_a_variable_is_the_key_in_capitals():
    """The setting `x.y` is CATALOG_X_Y."""
    assert variable("engine.quality_filter") == "CATALOG_ENGINE_QUALITY_FILTER"


@pytest.mark.parametrize(("old", "new"), NEW_KEY_BY_OLD.items())
def test_an_old_key_is_accepted_with_a_warning(old, new, tmp_path):
    """In the file and in the environment; the warning gives the new name."""
    section, _name = new.split(".")
    default = {key: value for key, value, _ in load_settings(None, {}).items()}[new]
    value = not default if isinstance(default, bool) else default
    old_name = old.split(".")[1]
    file = tmp_path / "catalog.toml"
    file.write_text(f"[{section}]\n{old_name} = {str(value).lower()}\n")
    for settings, place in (
        (load_settings(file, {}), new),
        (load_settings(None, {variable(old): str(value)}), variable(new)),
    ):
        assert {key: current for key, current, _ in settings.items()}[new] == value
        (warning,) = settings.warnings
        assert warning.endswith(f"has a new name: {place}.")


@pytest.mark.parametrize(("old", "new"), NEW_KEY_BY_OLD.items())
def test_the_old_and_the_new_key_together_are_an_error(old, new, tmp_path):
    """Also when they are in different places."""
    section, name = new.split(".")
    default = {key: value for key, value, _ in load_settings(None, {}).items()}[new]
    file = tmp_path / "catalog.toml"
    file.write_text(f"[{section}]\n{name} = {str(default).lower()}\n")
    with pytest.raises(SettingsError, match="is the old name of"):
        load_settings(file, {variable(old): str(default)})


def test_the_current_keys_give_no_warning():
    """The default file holds no old name."""
    assert load_settings(None, {}).warnings == ()
