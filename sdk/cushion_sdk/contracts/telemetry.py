"""Telemetry intake: CMCD version 2 event-mode records, batched, at least once.

POST /v1/telemetry, body as `contracts.cmcd` encodes it -> TelemetryReceipt. A record seen before (same session id and
sequence number) is acknowledged and not counted again.
"""

from __future__ import annotations

import msgspec


class TelemetryReceipt(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a batch; the sender may forget all of it. `repeated` were known, `rejected` could not be read."""

    accepted: int
    repeated: int
    rejected: int = 0
