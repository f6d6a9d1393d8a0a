"""Draw the README's picture of a terminal: real commands, run on the public-domain portraits of the tests.

Run after the output of a command changed: python tools/draw_readme.py
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from io import StringIO
from pathlib import Path

from rich.console import Console
from rich.text import Text

ROOT = Path(__file__).parent.parent
PICTURE = ROOT / "docs" / "images" / "scan.svg"
COMMANDS = (
    ("scan", "portraits"),
    ("find-person", "portraits/obama_1.jpg"),
    ("analyze", "portraits/astronaut.jpg"),
)
# Rich's own frame loads a font from the net; this one makes do with what the reader has.
FRAME = """<svg viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg" role="img">
<style>
.{unique_id}-matrix {{ font-family: ui-monospace, Menlo, Consolas, "DejaVu Sans Mono", monospace;
  font-size: {char_height}px; line-height: {line_height}px; white-space: pre; }}
{styles}
</style>
<defs>{lines}</defs>
<rect fill="#16181d" x="0" y="0" width="{width}" height="{height}" rx="10"/>
<g transform="translate({terminal_x}, {terminal_y})">
{backgrounds}
<g class="{unique_id}-matrix">
{matrix}
</g></g></svg>
"""


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        console = Console(record=True, width=100, file=StringIO(), force_terminal=True)
        portraits = Path(folder) / "portraits"
        shutil.copytree(ROOT / "tests" / "fixtures", portraits, ignore=shutil.ignore_patterns("*.md"))
        environment = {**os.environ, "HOME": folder, "COLUMNS": "100"}
        for arguments in COMMANDS:
            console.print(Text.assemble(("$ ", "green"), (f"catalog {' '.join(arguments)}", "bold")))
            answer = subprocess.run(
                [sys.executable, "-m", "catalog", *arguments],
                cwd=folder,
                env={**environment, "PYTHONPATH": str(ROOT)},
                capture_output=True,
                text=True,
                check=True,
            )
            # The picture names no folder of the machine that drew it.
            console.print(Text(answer.stdout.replace(f"{folder}/", "")))
    PICTURE.parent.mkdir(parents=True, exist_ok=True)
    PICTURE.write_text(console.export_svg(title="catalog", code_format=FRAME))
    print(f"wrote {PICTURE.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
