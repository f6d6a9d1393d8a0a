"""Private files: written whole or not at all."""

from __future__ import annotations

import pytest

from catalog.app.private_files import write_privately
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
