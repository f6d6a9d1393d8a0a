"""Scans, their work and problems, charges, and facts about the catalogue."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, Table, Text, UniqueConstraint

from catalog.store.tables.table_columns import RowId, Uri, metadata, row_id

scans = Table(
    "scans",
    metadata,
    row_id(),
    Column("started_at", Text, nullable=False, comment="UTC"),
    Column("finished_at", Text, comment="UTC; null: running, or killed"),
    Column("state", Text, nullable=False, comment="running, completed, interrupted, limited or failed"),
    Column("exit_code", Integer, comment="exit code of the command"),
    Column("engine", Text, nullable=False, comment="local or rekognition"),
    Column("gallery", Text, nullable=False, comment="gallery or collection"),
    Column("model", Text, nullable=False, comment="networks and version"),
    Column("version", Text, nullable=False, comment="version of the program"),
    Column("host", Text, nullable=False, comment="machine it ran on"),
    Column("pid", Integer, nullable=False, comment="process that ran it"),
    *[
        Column(count, Integer, nullable=False, default=0, comment=meaning)
        for count, meaning in (
            ("discovered", "photos found in the sources: the sum of the next seven counts"),
            ("new", "photos recorded for the first time"),
            ("unchanged", "locations without a change"),
            ("changed", "locations with new content"),
            ("moved", "known content at a new location, the old location is missing"),
            ("duplicate", "known content at a new location, the old location is present"),
            ("skipped", "skipped by a rule"),
            ("failed", "could not be recorded"),
            ("faces", "faces enrolled"),
            ("rejected", "faces rejected by the quality filter"),
            ("persons_new", "persons added"),
            ("persons_deleted", "persons that lost their id: must be 0"),
            ("churn", "faces separated from a face of the same person"),
            ("conflicts", "persons with two faces in one photo"),
        )
    ],
    comment="one row per run of `catalog scan`",
)

scan_sources = Table(
    "scan_sources",
    metadata,
    Column("scan_id", RowId, ForeignKey("scans.id", ondelete="CASCADE"), primary_key=True, comment="the scan"),
    Column("source_uri", Uri, primary_key=True, comment="the folder or prefix"),
    Column("discovered", Integer, nullable=False, default=0, comment="photos found in the source"),
    Column("completed_at", Text, comment="when its listing was complete, UTC; null: it was not"),
    comment="sources of scans; a location was last seen at the last complete scan of its source",
)
Index("ix_scan_sources_source_uri", scan_sources.c.source_uri)

work = Table(
    "work",
    metadata,
    row_id(),
    Column("source_uri", Uri, nullable=False, comment="the folder or prefix that is being scanned"),
    Column("uri", Uri, nullable=False, comment="uri of the location"),
    Column("size", BigInteger, nullable=False, comment="as listed, bytes"),
    Column("modified_ns", BigInteger, nullable=False, comment="as listed, ns since the epoch"),
    Column("etag", Text, nullable=False, comment="as listed"),
    Column("version", Text, comment="as listed"),
    UniqueConstraint("source_uri", "uri"),
    comment="work queue of shared scans; empty if none runs",
)

problems = Table(
    "problems",
    metadata,
    row_id(),
    Column("scan_id", RowId, ForeignKey("scans.id", ondelete="CASCADE"), nullable=False, comment="the scan"),
    Column("uri", Uri, nullable=False, comment="uri of the location"),
    Column("outcome", Text, nullable=False, comment="failed or skipped"),
    Column("sha256", Text, comment="content hash; null: not readable"),
    Column("reason", Text, nullable=False, comment="one sentence"),
    Column("at", Text, nullable=False, comment="UTC"),
    comment="photos that a scan skipped or failed on, with the reason",
)
Index("ix_problems_scan_id", problems.c.scan_id)

charges = Table(
    "charges",
    metadata,
    row_id(),
    Column("charged_at", Text, nullable=False, comment="UTC"),
    Column("scan_id", RowId, ForeignKey("scans.id", ondelete="SET NULL"), comment="the scan; null: another command"),
    Column("command", Text, nullable=False, comment="scan, find-person, analyze, compare ..."),
    Column("engine", Text, nullable=False, comment="engine that was charged"),
    Column("region", Text, nullable=False, comment="AWS region; empty elsewhere"),
    Column("operation", Text, nullable=False, comment="IndexFaces, SearchFaces ..."),
    Column("calls", Integer, nullable=False, comment="answered calls"),
    Column("microdollars", BigInteger, nullable=False, comment="millionths of a US dollar, by the price list"),
    comment="paid calls, recorded in the transaction that stores their results",
)
call_intents = Table(
    "call_intents",
    metadata,
    Column("id", RowId, primary_key=True, autoincrement=False, comment="random number, chosen by the caller"),
    Column("engine", Text, nullable=False, comment="name of the paid engine"),
    Column("gallery", Text, nullable=False, comment="gallery that the call is for"),
    Column("region", Text, nullable=False, comment="AWS region; empty elsewhere"),
    Column("operation", Text, nullable=False, comment="IndexFaces, SearchFaces ..."),
    Column("sha256", Text, comment="content hash of the photo to be enrolled; null for other calls"),
    Column("microdollars", BigInteger, nullable=False, comment="price of the call, in millionths of a US dollar"),
    Column("started_at", Text, nullable=False, comment="UTC"),
    Column("answer", Text, comment="JSON list of the rejected faces, if no face was enrolled; null: no answer known"),
    comment="paid calls without a recorded charge: written before the call, deleted with its charge",
)

catalogue = Table(
    "catalogue",
    metadata,
    Column("id", RowId, primary_key=True, autoincrement=False, comment="always 1"),
    Column("owner", Text, nullable=False, comment="random name of this catalogue, marks its faces in shared galleries"),
    Column("stack_state", Text, comment="for which photos and decisions stacks were formed; null: never"),
    Column(
        "review_state", Text, comment="for which faces and decisions the review questions are; null: never computed"
    ),
    Column(
        "settled_state",
        Text,
        comment="facts and settings for which the steps after a scan had nothing to do; null: not known",
    ),
    comment="one row: the identity of this catalogue",
)

Index("ix_charges_charged_at", charges.c.charged_at)
Index("ix_charges_scan_id", charges.c.scan_id)
