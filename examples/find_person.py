"""Find the photos of a person: python examples/find_person.py DATABASE REFERENCE_PHOTO..."""

from __future__ import annotations

import sys

import catalog


def main(database: str, *references: str) -> None:
    with catalog.open(database) as opened:
        result = opened.find(*references, threshold=80)
    for candidate in result.candidates:
        print(f"{candidate.name or candidate.person_id}, similarity {candidate.score:.1f}")
    for match in result.matches:
        print(f"{match.similarity:5.1f}  {match.uri}")


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except catalog.CatalogError as error:
        print(error, error.remedy, file=sys.stderr)
        sys.exit(error.exit_code)
