"""A subtitle file beside a presentation: read from disk, given to the player."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Protocol

from cushion_player.errors import DecodeError, UsageError
from cushion_player.text import Cue, caption_service, read_subtitles
from cushion_player.text.reading import MAX_BYTES
from cushion_sdk.session_types import SessionOptions


class ShowsText(Protocol):
    """What shows it: a player, before it loads."""

    def set_subtitles(self, cues: tuple[Cue, ...]) -> None: ...
    def select_captions(self, service: str | None) -> None: ...


async def show_text_options(options: SessionOptions, player: ShowsText) -> None:
    """Tell the player of the file and the captions that were asked for. Raises UsageError for what cannot be used."""
    if options.subtitles_path is not None:
        offset_us = round(options.subtitle_offset_s * 1e6)
        player.set_subtitles(await asyncio.to_thread(read_subtitle_file, options.subtitles_path, offset_us))
    if options.captions:
        service = caption_service(options.captions)
        if service is None:
            raise UsageError(f"there are no captions {options.captions!r}: say CC1 to CC4, or SERVICE1 to SERVICE6")
        player.select_captions(service)


def read_subtitle_file(path: Path, offset_us: int = 0) -> tuple[Cue, ...]:
    """The cues of a SubRip, WebVTT or TTML file; a positive offset shows them later. Raises UsageError."""
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
        return read_subtitles(data, offset_us)
    except OSError as exc:
        raise UsageError(f"the subtitle file {path} cannot be read: {exc.strerror or exc}") from exc
    except DecodeError as exc:
        raise UsageError(f"the subtitle file {path} cannot be read: {exc}") from exc
