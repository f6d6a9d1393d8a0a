"""`make bench`: every slow proof in turn, each in its own process; or those named: python -m tests.benchmarks speed.

Figures of speed and memory want a quiet machine. A proof that needs ../shared/data says so and ends with code 0.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent


def proofs() -> list[str]:
    """The modules and packages beside this file that can be run."""
    modules = {
        path.stem for path in HERE.glob("*.py") if not path.stem.startswith("_") and "__main__" in path.read_text()
    }
    return sorted(modules | {path.parent.name for path in HERE.glob("*/__main__.py")})


def main() -> int:
    wanted = sys.argv[1:] or proofs()
    if unknown := set(wanted) - set(proofs()):
        print(f"no such proof: {', '.join(sorted(unknown))}; there are {', '.join(proofs())}", file=sys.stderr)
        return 2
    failed = []
    for name in wanted:
        print(f"\n=== {name}", flush=True)
        if subprocess.run([sys.executable, "-m", f"tests.benchmarks.{name}"], check=False).returncode:
            failed.append(name)
    print("\nall proofs ran" if not failed else f"\nnot proven: {', '.join(failed)}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
