"""What happened, as CMCD records in the device's outbox.

One record for each change of state, chosen bitrate, rate and failure, and one every ten seconds of open session. Each
carries the few keys a collector needs to follow the session without the others: state, playhead, buffer, bitrates,
throughput, starvation and dropped frames.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from cushion_sdk.contracts.cmcd import (
    MAX_CONTENT_ID_CHARS,
    MAX_ID_CHARS,
    CmcdError,
    CmcdEvent,
    CmcdFormat,
    CmcdRecord,
    CmcdState,
    ObjectValue,
    ObjectValues,
    encode_event,
    video,
)
from cushion_sdk.session_events import (
    PlaybackEnded,
    PlaybackFailed,
    PlaybackPaused,
    PlaybackResumed,
    PlaybackStarted,
    RebufferEnded,
    RebufferStarted,
    RungSelected,
    RungShown,
    SeekEnded,
    SeekStarted,
    SessionEvent,
    SessionOpened,
)
from cushion_sdk.session_types import SessionSnapshot

log = logging.getLogger(__name__)

INTERVAL_US = 10_000_000


@dataclass(frozen=True, slots=True)
class Identity:
    """What every record of a session says."""

    session_id: str
    content_id: str
    profile_id: str
    device_id: str
    streaming_format: CmcdFormat
    is_live: bool


class TelemetryReporter:
    """Turns one session's events into encoded records, numbered from 0.

    accept: takes (sequence, timestamp_ms, line); must not block.
    bitrates_bps: of the video ladder's rungs, lowest first.
    """

    def __init__(
        self,
        identity: Identity,
        *,
        bitrates_bps: tuple[int, ...],
        snapshot: Callable[[], SessionSnapshot],
        now_ms: Callable[[], int],
        accept: Callable[[int, int, str], None],
    ) -> None:
        self._identity = identity
        self._bitrates_bps = bitrates_bps
        self._snapshot = snapshot
        self._now_ms = now_ms
        self._accept = accept
        self._sequence = 0
        self._state = CmcdState.STARTING
        self._selected_kbps: int | None = None
        self._shown_kbps: int | None = None
        self._starved = False
        self._is_paused = False

    def hear(self, event: SessionEvent) -> None:
        """Report an event, if it is one worth reporting."""
        match event:
            case SessionOpened():
                self._report_state(CmcdState.STARTING)
            case PlaybackStarted():
                self._report_state(CmcdState.PLAYING, start_delay_ms=round(event.startup_s * 1000))
            case PlaybackResumed() | RebufferEnded() | SeekEnded():
                self._report_state(CmcdState.PLAYING)
            case PlaybackPaused():
                self._report_state(CmcdState.PAUSED)
            case RebufferStarted():
                self._starved = True
                self._report_state(CmcdState.REBUFFERING)
            case SeekStarted():
                self._report_state(CmcdState.SEEKING)
            case PlaybackEnded():
                self._report_state(CmcdState.ENDED)
            case PlaybackFailed():
                self._state = CmcdState.FATAL_ERROR
                self._report(CmcdEvent.ERROR, error_codes=(event.code,))
                self._report_state(CmcdState.FATAL_ERROR)
            case RungSelected():
                self._select(event.to_rung)
            case RungShown():
                self._shown_kbps = _kbps(event.bitrate_bps)
            case _:
                pass

    def interval(self) -> None:
        """Report how things stand."""
        self._report(CmcdEvent.TIME_INTERVAL)

    def rate_changed(self, rate: float) -> None:
        self._report(CmcdEvent.PLAYBACK_RATE, rate=rate)

    def quit(self) -> None:
        """The session is being closed; says nothing when it ended or failed before."""
        if self._state not in (CmcdState.ENDED, CmcdState.FATAL_ERROR):
            self._report_state(CmcdState.QUIT)

    def _select(self, rung: int) -> None:
        if 0 <= rung < len(self._bitrates_bps):
            self._selected_kbps = _kbps(self._bitrates_bps[rung])
            self._report(CmcdEvent.BITRATE_CHANGE)

    def _report_state(self, state: CmcdState, **values: Any) -> None:
        self._state = state
        self._report(CmcdEvent.PLAY_STATE, **values)

    def _report(self, event: CmcdEvent, **values: Any) -> None:
        identity = self._identity
        now = self._snapshot()
        timestamp_ms = self._now_ms()
        record = CmcdRecord(
            event=event,
            timestamp_ms=timestamp_ms,
            session_id=identity.session_id,
            sequence=self._sequence,
            content_id=_ascii(identity.content_id, MAX_CONTENT_ID_CHARS),
            state=self._state,
            playhead_ms=round(now.position_s * 1000),
            buffer_ms=_either(round(now.buffer_s * 1000)),
            encoded_bitrate_kbps=_video(self._selected_kbps),
            playhead_bitrate_kbps=_video(self._shown_kbps),
            throughput_kbps=_either(round(now.throughput_bps / 1000)) if now.throughput_bps > 0 else (),
            is_starved=self._starved,
            starvation_count=_either(now.rebuffer_count) if now.rebuffer_count else (),
            starvation_ms=_either(round(now.rebuffer_s * 1000)) if now.rebuffer_count else (),
            dropped_frames=now.frames_dropped,
            streaming_format=identity.streaming_format,
            stream_type="l" if identity.is_live else "v",
            profile_id=_ascii(identity.profile_id, MAX_ID_CHARS),
            device_id=identity.device_id,
            **values,
        )
        try:
            line = encode_event(record)
        except CmcdError as exc:
            log.warning("an event could not be written as CMCD: %s", exc)
            return
        self._starved = False
        self._sequence += 1
        self._accept(record.sequence or 0, timestamp_ms, line)


def _kbps(bitrate_bps: int) -> int:
    return round(bitrate_bps / 1000)


def _video(kbps: int | None) -> ObjectValues:
    return () if kbps is None else video(kbps)


def _either(value: int) -> ObjectValues:
    return (ObjectValue(value),)


def _ascii(text: str, limit: int) -> str:
    """An id as CMCD can carry it: what is not printable ASCII percent-encoded, cut to the limit."""
    safe = "".join(chr(code) for code in range(0x20, 0x7F))
    return quote(text, safe=safe)[:limit]
