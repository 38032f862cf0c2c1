"""The window behind `cushion play`: any presentation, by its URL."""

from __future__ import annotations

import asyncio
import math
from dataclasses import replace
from urllib.parse import urlsplit

from cushion_demo_app.app import AppPlan, run_app
from cushion_demo_app.display import has_display
from cushion_demo_app.main_window import WindowStart
from cushion_demo_app.video_sink import check_renderer
from cushion_demo_app.wishes import FileChoice, PlayRequest
from cushion_player.errors import PlaybackError, UsageError
from cushion_sdk.cli.windows import WindowRequest
from cushion_sdk.contracts.catalog import Title
from cushion_sdk.session_types import SessionOptions, SessionSummary


def play_url(request: WindowRequest) -> SessionSummary:
    """Open a window on a URL and play until it is closed, the end, or so many seconds; returns the session's summary.

    Raises PlaybackError when the URL could not be opened and the window was closed on that, UsageError when there is no
    display.
    """
    if not has_display():
        raise UsageError("there is no display here; --headless plays without one")
    check_renderer(request.renderer)
    source, options = asyncio.run(_find(request)) if request.server else (request.url, request.options)
    if isinstance(source, Title):
        play = PlayRequest.of_title(source, options.start_s)
    else:
        play = PlayRequest(source, name_of(source), (), options.start_s)
    if options.subtitles_path is not None:
        play = replace(play, file=FileChoice(options.subtitles_path, options.subtitle_offset_s))
    outcome = run_app(
        AppPlan(
            device_dir=request.device_dir,
            server_url=request.server or None,
            start=WindowStart(
                play=play,
                link=str(options.trace or "unshaped"),
                volume=options.volume,
                shows_catalog=False,
                renderer=request.renderer,
            ),
            options=options,
            media_seconds=request.seconds if request.seconds is not None else math.inf,
        )
    )
    if outcome.summary is None:
        raise PlaybackError(outcome.problem or f"{request.url} was closed before it could play")
    return outcome.summary


def name_of(url: str) -> str:
    """What to call a bare URL in the window: its last two parts."""
    parts = [part for part in urlsplit(url).path.split("/") if part]
    return "/".join(parts[-2:]) or url


async def _find(request: WindowRequest) -> tuple[str | Title, SessionOptions]:
    from cushion_sdk.backend import BackendClient
    from cushion_sdk.headless import find_title

    async with BackendClient(request.server) as backend:
        return await find_title(backend, request.url, request.options)
