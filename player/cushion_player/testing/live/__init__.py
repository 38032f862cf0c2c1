"""Live, low-latency and on-demand services out of a few seconds of media, as pure functions of time. See `site`."""

from __future__ import annotations

from cushion_player.testing.live.asset import LiveAsset, LiveRung, LiveTrack, made_up_asset
from cushion_player.testing.live.config import (
    Breaks,
    Clone,
    DashOptions,
    HlsOptions,
    LiveConfig,
    Pathway,
    Programme,
    Steering,
)
from cushion_player.testing.live.site import LiveSite, key_bytes

__all__ = [
    "Breaks",
    "Clone",
    "DashOptions",
    "HlsOptions",
    "LiveAsset",
    "LiveConfig",
    "LiveRung",
    "LiveSite",
    "LiveTrack",
    "Pathway",
    "Programme",
    "Steering",
    "key_bytes",
    "made_up_asset",
]
