"""The tables, in SQLAlchemy Core. Times are milliseconds since the Unix epoch."""

from __future__ import annotations

from sqlalchemy import Column, Float, Index, Integer, LargeBinary, MetaData, String, Table, Text

metadata = MetaData()

titles = Table(
    "titles",
    metadata,
    Column("title_id", String(64), primary_key=True),
    Column("published_ms", Integer, nullable=False),
    Column("document", LargeBinary, nullable=False, doc="contracts.Title as JSON"),
    Index("titles_by_publication", "published_ms", "title_id"),
)

positions = Table(
    "positions",
    metadata,
    Column("profile_id", String(128), primary_key=True),
    Column("title_id", String(64), primary_key=True),
    Column("device_id", String(128), nullable=False),
    Column("session_id", String(128), nullable=False),
    Column("session_started_ms", Integer, nullable=False),
    Column("sequence", Integer, nullable=False),
    Column("position_s", Float, nullable=False),
    Column("duration_s", Float, nullable=False),
    Column("reported_ms", Integer, nullable=False),
)

telemetry = Table(
    "telemetry",
    metadata,
    Column("session_id", String(128), primary_key=True),
    Column("sequence", Integer, primary_key=True),
    Column("received_ms", Integer, nullable=False),
    Column("record", Text, nullable=False, doc="the CMCD record as it came, one line"),
)

jobs = Table(
    "jobs",
    metadata,
    Column("job_id", String(32), primary_key=True),
    Column("created_ms", Integer, nullable=False),
    Column("path", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("min_duration_s", Float, nullable=False),
    Column("licence", Text, nullable=False),
    Column("state", String(16), nullable=False, index=True),
    Column("title_id", String(64), nullable=False, default=""),
    Column("done_steps", Integer, nullable=False, default=0),
    Column("total_steps", Integer, nullable=False, default=0),
    Column("step", Text, nullable=False, default=""),
    Column("problem", Text, nullable=False, default=""),
)

steps = Table(
    "steps",
    metadata,
    Column("key", String(64), primary_key=True, doc="hash of inputs, parameters and versions"),
    Column("job_id", String(32), nullable=False, doc="the job that first asked for it"),
    Column("name", Text, nullable=False),
    Column("state", String(16), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("result", LargeBinary, nullable=True, doc="transcode.steps.StepResult as JSON, once done"),
    Column("problem", Text, nullable=False, default=""),
    Column("updated_ms", Integer, nullable=False),
)
