"""Between the engine and the output: obeys the effects that feed, cut, start and stop it.

What belongs here: which tracks of the output take which media, what is deciphered on the way, and the timed events in
it. What does not: requests, and when anything is fed.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Final

from cushion_player.driving.requests import Requests
from cushion_player.driving.unlocking import Unlocking
from cushion_player.effects import (
    CutTrack,
    EndTrack,
    FeedChunk,
    FeedSegment,
    PrepareOutput,
    StartOutput,
    StopOutput,
    SwitchInit,
)
from cushion_player.errors import MediaError
from cushion_player.outputs import MediaFormat, MediaOutput, MediaSegment
from cushion_player.planning.addressing import PlaybackPlan
from cushion_player.timed import TimedEvent
from cushion_player.timed.listing import events_in_segment
from cushion_player.timeline import TrackKind

log = logging.getLogger(__name__)

OutputEffect = PrepareOutput | SwitchInit | FeedSegment | FeedChunk | CutTrack | EndTrack | StartOutput | StopOutput

_VIDEO: Final = frozenset({TrackKind.VIDEO})


class Feeding:
    """The output's side of one playback."""

    def __init__(
        self,
        output: MediaOutput,
        requests: Requests,
        unlocking: Unlocking,
        plan: Callable[[], PlaybackPlan],
        list_events: Callable[[Sequence[TimedEvent]], None],
    ) -> None:
        """plan: what is being played, as far as it is known now. list_events: hears of events in what is fed."""
        self._output = output
        self._requests = requests
        self._unlocking = unlocking
        self._plan = plan
        self._list_events: Callable[[Sequence[TimedEvent]], None] = list_events
        self._has_no_sound = False
        """The video's segments were taken to carry sound, as nothing was said of it, and carry none."""

    def obey(self, effect: OutputEffect) -> None:
        match effect:
            case PrepareOutput():
                self._output.prepare(effect.position_us, effect.tracks | self._carried(effect.tracks))
            case SwitchInit():
                media_format = self._format(effect)
                for kind in self._fed_with(effect.track, effect.key):
                    self._output.switch_format(kind, media_format)
            case FeedSegment():
                segment = self._segment(effect)
                for kind in self._fed_with(effect.track, effect.key):
                    self._output.feed(kind, segment)
            case FeedChunk():
                chunk = self._chunk(effect)
                for kind in self._fed_with(effect.track):
                    self._output.feed(kind, chunk)
            case CutTrack():
                for kind in self._fed_with(effect.track):
                    self._output.cut(kind, effect.from_us)
            case EndTrack():
                for kind in self._fed_with(effect.track):
                    self._output.end_track(kind)
            case StartOutput():
                self._output.start(effect.position_us, effect.rate)
            case StopOutput():
                self._output.stop()

    def go_on_without_sound(self) -> bool:
        """Whether the sound that cannot be read is one that was only taken to be inside the video's segments."""
        if not self._plan().has_muxed_audio or self._has_no_sound:
            return False
        self._has_no_sound = True
        self._output.end_track(TrackKind.AUDIO)
        return True

    def _fed_with(self, track: TrackKind, key: str = "") -> frozenset[TrackKind]:
        """The tracks of the output that take what is fed on one of the engine's; key frames carry no sound."""
        tracks = frozenset({track})
        return tracks if key in self._plan().beside else tracks | self._carried(tracks)

    def _carried(self, tracks: frozenset[TrackKind]) -> frozenset[TrackKind]:
        """Audio that comes inside the video's segments."""
        is_carried = self._plan().has_muxed_audio and not self._has_no_sound and tracks >= _VIDEO
        return frozenset({TrackKind.AUDIO}) if is_carried else frozenset()

    def _format(self, effect: SwitchInit) -> MediaFormat:
        plan = self._plan()
        said = plan.format(effect.key, effect.index, effect.rung)
        place = effect.key, effect.index, effect.rung
        sealed = self._requests.init(plan.init_name(*place))
        try:
            init = self._unlocking.opened_init(sealed)
        except MediaError:
            init = sealed.data  # the decoder will not be able to read it, and says so
        keys = self._unlocking.ring(plan.key_name(*place))
        return MediaFormat(
            effect.rung,
            said.container,
            init,
            said.codecs,
            said.discontinuity,
            keys,
            effect.key,
            effect.index,
            said.has_key_frames_only,
            is_shared=bool(self._carried(frozenset({effect.track}))),
        )

    def _segment(self, effect: FeedSegment) -> MediaSegment:
        plan = self._plan()
        track = plan.track(effect.key)
        start_us, end_us = track.segment_start_us(effect.index), track.segment_start_us(effect.index + 1)
        offset_us = plan.offset_us(effect.key, effect.index)
        sealed = self._requests.segment(effect.request_id)
        ring = self._unlocking.ring(plan.key_name(effect.key, effect.index, effect.rung))
        try:
            data = self._unlocking.opened(sealed, ring)
        except MediaError as exc:  # fed as it is: the decoder finds nothing in it, and says where
            data = sealed.data
            log.warning("%s cannot be deciphered: %s", plan.label(effect.key, effect.index, effect.rung), exc)
        self._list_events(events_in_segment(data, start_us, offset_us))
        return MediaSegment(start_us, end_us, offset_us, data)

    def _chunk(self, effect: FeedChunk) -> MediaSegment:
        """A piece of a segment in the clear that is on its way."""
        offset_us = self._plan().offset_us(effect.key, effect.index)
        data = self._requests.chunk(effect.request_id, effect.from_bytes, effect.to_bytes)
        self._list_events(events_in_segment(data, effect.start_us, offset_us))
        return MediaSegment(effect.start_us, effect.end_us, offset_us, data, is_last_chunk=False)
