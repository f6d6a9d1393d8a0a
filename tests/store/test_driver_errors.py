"""Driver errors, without loading a driver that is not used."""

from __future__ import annotations

import subprocess
import sys


def test_a_catalogue_in_a_file_loads_no_driver_of_postgresql(tmp_path):
    """Loading it would take a tenth of the start-up time."""
    script = (
        "import sys; from catalog.cli.main import run; code = run(['status', '--database', sys.argv[1]]);"
        " sys.exit(code or 'psycopg' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", script, str(tmp_path / "catalog.sqlite3")], check=False)
    assert done.returncode == 0
