"""Playing without a window: everything is decoded and paced, nothing is shown, and a verdict is given."""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import urlsplit

from cushion_player.clock import MonotonicClock
from cushion_player.errors import ServiceError
from cushion_player.outputs import MediaOutput
from cushion_sdk.backend import BackendClient
from cushion_sdk.contracts.catalog import Title
from cushion_sdk.device import DeviceStores
from cushion_sdk.session import PlaybackSession, open_session
from cushion_sdk.session_types import SessionOptions, SessionProblem, SessionSnapshot, SessionState, SessionSummary

log = logging.getLogger(__name__)

MIN_SHARE = 0.9
"""Of the frames that were due, and of the seconds asked for: less is not playing well."""
LOOK_S = 0.25
"""How often to look how things are; the seconds asked for are kept all the same."""
_SHORTEST_LOOK_S = 0.02
STARTUP_ALLOWANCE_S = 60.0


@dataclass(frozen=True, slots=True)
class HeadlessOutcome:
    """What a headless session came to. `problem` is one sentence, "" when it played well."""

    summary: SessionSummary
    problem: str


async def play_headless(
    source: str | Title,
    options: SessionOptions,
    *,
    device_dir: Path,
    server: str = "",
    seconds: float | None = None,
    on_snapshot: Callable[[SessionSnapshot], None] | None = None,
) -> HeadlessOutcome:
    """Play a URL, or a title of the backend at `server`, for so many seconds of media (None: to the end).

    A URL that is a title's on that server counts as that title: its position and telemetry are the title's.
    Raises what `open_session` raises. Gives up when playing takes more than twice as long as it should.
    """
    async with AsyncExitStack() as stack:
        stores = await asyncio.to_thread(DeviceStores.open, device_dir)
        stack.push_async_callback(asyncio.to_thread, stores.close)
        backend = await stack.enter_async_context(BackendClient(server)) if server else None
        if backend is not None and isinstance(source, str):
            source, options = await find_title(backend, source, options)
        session = await stack.enter_async_context(
            open_session(source, options, stores=stores, output=headless_output(options.hardware), backend=backend)
        )
        await _play(session, seconds, on_snapshot)
        failure = session.snapshot().error
        has_ended = session.snapshot().state is SessionState.ENDED
        await stack.aclose()
        summary = session.summary()
        return HeadlessOutcome(summary, verdict(summary, failure, seconds=seconds, has_ended=has_ended))


def headless_output(hardware: str = "auto") -> MediaOutput:
    """Real decoders, a renderer without a screen, an audio output without a device.

    hardware: see SessionOptions. Raises UsageError for a device that is unknown.
    """
    from cushion_player.media.hardware import devices_of
    from cushion_player.media.headless import HeadlessRenderer
    from cushion_player.media.null_audio import NullAudioOutput
    from cushion_player.media.output import DecodedOutput

    clock = MonotonicClock()
    return DecodedOutput(HeadlessRenderer(clock), NullAudioOutput(clock), clock, devices=devices_of(hardware))


async def find_title(backend: BackendClient, url: str, options: SessionOptions) -> tuple[str | Title, SessionOptions]:
    """The backend's title behind one of its own URLs; the URL itself when it is none or the backend does not say."""
    if urlsplit(url).netloc != urlsplit(backend.base_url).netloc:
        return url, options
    try:
        titles = await backend.titles()
    except ServiceError as exc:
        log.warning("the backend does not say which title this is (%s): playing the bare URL", exc)
        return url, options
    path = urlsplit(url).path
    for title in titles:
        if path == title.dash_path:
            return title, replace(options, manifest_format="dash")
        if path == title.hls_path:
            return title, replace(options, manifest_format="hls")
    return url, options


def verdict(summary: SessionSummary, failure: SessionProblem | None, *, seconds: float | None, has_ended: bool) -> str:
    """One sentence that says what was wrong with the playing; "" when nothing was.

    seconds: how much was to be played, None for all there was. has_ended: the end was reached before that.
    """
    if failure is not None:
        return failure.message
    if summary.startup_s is None:
        return "playback never started"
    if not has_ended and seconds is None:
        return f"only {summary.played_s:.1f} s were played in time, not all"
    if not has_ended and seconds is not None and summary.played_s < MIN_SHARE * seconds:
        return f"only {summary.played_s:.1f} of {seconds:.1f} s were played in time"
    expected = summary.frames_expected
    if expected and summary.frames_shown < MIN_SHARE * expected:
        return f"only {summary.frames_shown} of {expected} frames that were due were shown"
    if summary.frames_shown == 0 and any(span.height_px for span in summary.rungs):
        return "no frame was shown"
    return ""


async def _play(
    session: PlaybackSession, seconds: float | None, on_snapshot: Callable[[SessionSnapshot], None] | None
) -> None:
    session.play()
    duration_s = session.snapshot().duration_s
    limit_s = 2 * (seconds if seconds is not None else duration_s) + STARTUP_ALLOWANCE_S
    finished = asyncio.ensure_future(session.wait_finished())
    try:
        async with asyncio.timeout(limit_s if limit_s > STARTUP_ALLOWANCE_S else None):
            while not finished.done():
                left_s = math.inf if seconds is None else seconds - session.summary().played_s
                if left_s <= 0:
                    break
                if on_snapshot is not None:
                    on_snapshot(session.snapshot())
                await asyncio.wait((finished,), timeout=min(LOOK_S, max(left_s, _SHORTEST_LOOK_S)))
    except TimeoutError:
        log.warning("stopped after %.0f s: playing takes too long", limit_s)
    finally:
        finished.cancel()
        await asyncio.gather(finished, return_exceptions=True)
