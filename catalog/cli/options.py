"""Options that every command takes after its name, and the types of those that several take."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import typer

from catalog.cli.person_completion import complete_person

VERSION = version("face-catalog")

Database = Annotated[
    str | None,
    typer.Option(
        "--database",
        metavar="URL",
        help="The catalogue: a path, sqlite:///PATH or postgresql://...; default: the user's own.",
        rich_help_panel="Common",
    ),
]
Config = Annotated[
    Path | None,
    typer.Option("--config", metavar="FILE", help="Settings instead of the user's own file.", dir_okay=False),
]
Verbose = Annotated[
    int,
    typer.Option("--verbose", "-v", count=True, help="Say more on stderr; twice for everything.", show_default=False),
]
NoProgress = Annotated[
    bool, typer.Option("--quiet", "-q", help="Show no progress; without it a terminal shows it after 5 seconds.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON on stdout.")]
EngineName = Annotated[
    str | None, typer.Option("--engine", metavar="NAME", help="local or rekognition, instead of the setting.")
]
Cluster = Annotated[
    str | None,
    typer.Option(
        "--cluster",
        metavar="ADDRESS",
        help="Compute on the workers of a cluster: tls://HOST:PORT, tcp://HOST:PORT or local:N.",
    ),
]
Threshold = Annotated[
    float | None, typer.Option("--threshold", min=0, max=100, help="Lowest similarity that counts as a match, 0-100.")
]
_DATES = "A year, a month, a day or a time, local where the photo was taken."
Since = Annotated[str | None, typer.Option("--since", metavar="DATE", help=f"Only photos from this date on. {_DATES}")]
Until = Annotated[
    str | None, typer.Option("--until", metavar="DATE", help=f"Only photos up to the end of this date. {_DATES}")
]
PersonId = Annotated[
    str, typer.Argument(metavar="PERSON", help="A person's id or exact name.", autocompletion=complete_person)
]
FaceId = Annotated[
    str, typer.Argument(metavar="FACE", help="A face's id, or its first characters; `people show` lists the ids.")
]
