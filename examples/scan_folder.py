"""Scan a folder of photos and print the persons: python examples/scan_folder.py DATABASE FOLDER."""

from __future__ import annotations

import sys

import catalog


def main(database: str, folder: str) -> None:
    with catalog.open(database, create=True) as opened:
        run = opened.scan([folder])
        for outcome in run:
            if outcome.reason is not None:
                print(f"{outcome.uri}: {outcome.reason}", file=sys.stderr)
        summary = run.summary
        print(f"{summary.discovered} photos, {summary.faces} faces, {summary.persons_new} new persons")
        for person in opened.people():
            print(f"{person.name or person.person_id}: {person.faces} faces on {person.photos} photos")


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except catalog.CatalogError as error:
        print(error, error.remedy, file=sys.stderr)
        sys.exit(error.exit_code)
