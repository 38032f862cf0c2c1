"""Telemetry intake: CMCD version 2 event-mode records, batched, at least once.

POST /v1/telemetry, body as `contracts.cmcd` encodes it -> TelemetryReceipt. A record seen before (same session id and
sequence number) is acknowledged and not counted again.
"""

from __future__ import annotations

import msgspec


class TelemetryReceipt(msgspec.Struct, frozen=True, kw_only=True):
    """`accepted` are new, `repeated` were known; the sender may forget both. `rejected` could not be read: also forget."""

    accepted: int
    repeated: int
    rejected: int = 0
