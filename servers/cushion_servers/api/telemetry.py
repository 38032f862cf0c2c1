"""Telemetry intake: bare ASGI, one transaction a batch, each record kept once."""

from __future__ import annotations

import msgspec

from cushion_sdk.contracts import Problem, ProblemCode, TelemetryReceipt
from cushion_sdk.contracts.cmcd import CmcdError, decode_event, split_events
from cushion_servers.api.asgi import Receive, Scope, Send, answer, answer_problem, problem_of, read_body
from cushion_servers.backend import Backend
from cushion_servers.db.telemetry import TelemetryRecord
from cushion_servers.errors import InvalidRequest, ServerError

TELEMETRY_PATH = "/v1/telemetry"
MAX_BODY_BYTES = 1 << 20


class TelemetryIntake:
    """The ASGI application behind POST /v1/telemetry."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] != "POST":
            problem = Problem(status=405, code=ProblemCode.INVALID, title="Telemetry is sent with POST.")
            await answer_problem(send, problem, [(b"allow", b"POST")])
            return
        try:
            receipt = await self._take(await read_body(receive, MAX_BODY_BYTES))
        except ServerError as exc:
            await answer_problem(send, problem_of(exc))
            return
        await answer(send, 200, [(b"content-type", b"application/json")], msgspec.json.encode(receipt))

    async def _take(self, body: bytes) -> TelemetryReceipt:
        """Keep what can be read. A record without session id or sequence number cannot be told from its repetition."""
        try:
            lines = split_events(body)
        except CmcdError as exc:
            raise InvalidRequest(f"The body is not CMCD: {exc}.") from exc
        records = list[TelemetryRecord]()
        rejected = 0
        for line in lines:
            try:
                event = decode_event(line)
            except CmcdError:
                rejected += 1
                continue
            if event.sequence is None or not event.session_id:
                rejected += 1
            else:
                records.append(TelemetryRecord(event.session_id, event.sequence, line))
        accepted = await self._backend.telemetry.add(records, self._backend.now_ms())
        return TelemetryReceipt(accepted=accepted, repeated=len(records) - accepted, rejected=rejected)
