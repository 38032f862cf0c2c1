"""The key frames of a title, for scrubbing: found when somebody first scrubs, from what the manifest announces.

HLS has I-frame playlists, DASH sets in trick mode. Where there is none, or it cannot be had, scrubbing shows the first
picture of whole segments.
"""

from __future__ import annotations

import logging

from cushion_player import manifest
from cushion_player.clock import Clock
from cushion_player.errors import FetchError, ManifestError
from cushion_player.manifest import Need, ReadResult
from cushion_player.model import Presentation
from cushion_player.planning.addressing import PlaybackPlan, plan_key_frames
from cushion_player.planning.choosing import key_frames_of
from cushion_player.transport.base import ANSWER_LIMIT_S, MANIFEST_LIMIT_BYTES, FetchRequest, Transport, fetch_bytes

log = logging.getLogger(__name__)


async def find_key_frames(
    transport: Transport, clock: Clock, presentation: Presentation, plan: PlaybackPlan
) -> tuple[PlaybackPlan, str] | None:
    """The plan with a track of key frames, and its key; None when there is none to be had."""
    need = _playlist_to_read(presentation)
    if need is not None:
        request = FetchRequest(need.url, byte_range=need.byte_range, label=need.label)
        try:
            fetched = await fetch_bytes(
                transport, request, clock, limit_bytes=MANIFEST_LIMIT_BYTES, limit_s=ANSWER_LIMIT_S
            )
            presentation = manifest.resolve(ReadResult(presentation), need, fetched.body, fetched.url).presentation
        except (FetchError, ManifestError) as exc:
            log.info("scrubbing goes by whole segments: %s", exc)
            return None
    return plan_key_frames(presentation, plan)


def _playlist_to_read(presentation: Presentation) -> Need | None:
    """The I-frame playlist that serves best, unless one was read."""
    found = [item for period in presentation.periods if (item := key_frames_of(period, only_read=False)) is not None]
    wanted = {choice.rungs[0].id for choice in found if choice.rungs[0].source and choice.rungs[0].playlist is None}
    if not wanted:
        return None
    return next((need for need in manifest.later_needs(presentation) if need.representation in wanted), None)
