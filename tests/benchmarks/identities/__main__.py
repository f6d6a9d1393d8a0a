"""Run the measurements named on the command line, or all. The package's docstring says which folders they need."""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from tests.benchmarks.identities.measurements import LFW, SYNTHETIC, main

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, help="folder of scans for later runs; default: a temporary one")
    parser.add_argument("only", nargs="*", help="measurements to take; default: all")
    arguments = parser.parse_args()
    if not (LFW.is_dir() and SYNTHETIC.is_dir()):
        print(f"skipped: {LFW} and {SYNTHETIC} are needed")
        sys.exit(0)
    if arguments.work is not None:
        main(arguments.work, arguments.only)
    else:
        with tempfile.TemporaryDirectory() as folder:
            main(Path(folder), arguments.only)
