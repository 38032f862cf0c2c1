"""The catalog: what can be watched.

GET /v1/titles -> TitlePage · GET /v1/titles/{title_id} -> Title
"""

from __future__ import annotations

import msgspec


class LadderRung(msgspec.Struct, frozen=True, kw_only=True):
    """One video quality. `bitrate_bps` is the mean over the whole title, `peak_bitrate_bps` the largest segment's."""

    height_px: int
    width_px: int
    bitrate_bps: int
    peak_bitrate_bps: int
    codecs: str


class Ladder(msgspec.Struct, frozen=True, kw_only=True):
    """Video rungs ascending; `audio_bitrate_bps` is 0 for a silent title."""

    video: list[LadderRung]
    audio_bitrate_bps: int
    frame_rate: str
    """As a fraction: `30/1`, `30000/1001`."""
    segment_s: float


class Title(msgspec.Struct, frozen=True, kw_only=True):
    """A published title. Addresses are absolute paths on the server that answered."""

    title_id: str
    name: str
    duration_s: float
    dash_path: str
    hls_path: str
    poster_path: str = ""
    ladder: Ladder
    note: str = ""
    """What a viewer should know: `10 s clip, repeated 6 times`."""
    licence: str = ""
    published_ms: int = 0


class TitlePage(msgspec.Struct, frozen=True, kw_only=True):
    """A page of titles, oldest publication first. `next_cursor` is empty on the last page."""

    titles: list[Title]
    next_cursor: str = ""
