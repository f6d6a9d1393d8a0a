"""Private files: written whole or not at all."""

from __future__ import annotations

import os

import pytest
from PIL import Image

from catalog.app.private_files import refuse_photo, write_privately
from catalog.domain.errors import UsageError


def test_only_the_owner_reads_the_file(tmp_path):
    write_privately(tmp_path / "face.jpg", b"bytes")
    assert (tmp_path / "face.jpg").read_bytes() == b"bytes"
    assert (tmp_path / "face.jpg").stat().st_mode & 0o777 == 0o600


def test_the_path_may_lead_through_a_file(tmp_path):
    """The deletion of the temporary file fails as well, as in a read-only folder."""
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match="cannot be written: Not a directory"):
        write_privately(tmp_path / "file" / "face.jpg", b"bytes")


@pytest.mark.parametrize("form", ["JPEG", "PNG", "TIFF", "TGA"])
def test_a_photo_is_refused_as_an_output(tmp_path, form):
    """Also through a link, and in a format that is recognized by its end."""
    Image.effect_noise((120, 90), 50).convert("RGB").save(tmp_path / "photo", form)
    (tmp_path / "link").symlink_to(tmp_path / "photo")
    for name in ("photo", "link"):
        with pytest.raises(UsageError, match="is a photo, which is never replaced"):
            refuse_photo(tmp_path / name)


def test_other_outputs_are_accepted(tmp_path):
    """A new file, a table, a folder (the attempt to write says why) and a pipe, which is not read."""
    (tmp_path / "table.csv").write_text("name,photos\n")
    os.mkfifo(tmp_path / "pipe")
    for path in (None, tmp_path / "new.jpg", tmp_path / "table.csv", tmp_path, tmp_path / "pipe"):
        refuse_photo(path)
