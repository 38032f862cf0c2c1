"""Every wire type between clients and the backend, and nothing else: no I/O, no clocks.

Times on the wire are milliseconds (`_ms`) since the Unix epoch or media seconds (`_s`); sizes are bytes; rates bit/s.
"""

from cushion_sdk.contracts.catalog import Ladder, LadderRung, Title, TitlePage
from cushion_sdk.contracts.ingest import IngestJob, IngestRequest, IngestState
from cushion_sdk.contracts.problem import Problem, ProblemCode
from cushion_sdk.contracts.resume import Position, PositionPage, PositionReport
from cushion_sdk.contracts.telemetry import TelemetryReceipt

__all__ = [
    "IngestJob",
    "IngestRequest",
    "IngestState",
    "Ladder",
    "LadderRung",
    "Position",
    "PositionPage",
    "PositionReport",
    "Problem",
    "ProblemCode",
    "TelemetryReceipt",
    "Title",
    "TitlePage",
]
