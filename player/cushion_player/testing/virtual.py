"""The virtual-clock driver: the real engine over a modelled link, in no time at all.

The same effects are obeyed as by the wall-clock driver; bytes cross a `SharedLink` in pieces, first come first
served, exactly as the shaped transport paces them. The output is ideal: ready once every track was fed, never late.
It never sends `position_observed`, so the engine's own arithmetic is the clock.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count

from cushion_player.effects import (
    AbandonSegment,
    AcquireKey,
    AskSteering,
    Effect,
    EndTrack,
    FeedSegment,
    FetchInit,
    FetchSegment,
    PrepareOutput,
    RefreshManifest,
)
from cushion_player.engine import PlaybackEngine
from cushion_player.engine.config import FetchFailure, SteeringAnswer
from cushion_player.notices import Notice, PlaybackEnded, PlaybackFailed, SeekStarted
from cushion_player.timeline import Timeline, Track, TrackKind
from cushion_player.timeline_update import TimelineUpdate, updated
from cushion_traces.link import Link, SharedLink

PROGRESS_INTERVAL_US = 100_000
INIT_BYTES = 800


@dataclass(slots=True)
class _Transfer:
    request_id: int
    is_init: bool
    left_bytes: int
    received_bytes: int = 0
    first_byte_us: int = 0
    told_us: int = 0


class VirtualDriver:
    """Runs one engine on a virtual clock that starts at 0.

    link: None is an infinitely fast network. size_of: bytes of a request; the timeline's own by default.
    fail: asked for every segment request; a FetchFailure makes it fail one latency later.
    key_after_us, key_failure: how long a key takes beyond one latency, and why there is none.
    refresh: how a live timeline goes on at a time, or why that cannot be found out.
    steer: what the steering server says at a time; without it, that it is gone for good.
    """

    def __init__(
        self,
        engine: PlaybackEngine,
        timeline: Timeline,
        link: Link | None,
        *,
        init_bytes: int = INIT_BYTES,
        size_of: Callable[[FetchSegment], int] | None = None,
        fail: Callable[[FetchSegment], FetchFailure | None] | None = None,
        key_after_us: int = 0,
        key_failure: FetchFailure | None = None,
        refresh: Callable[[int], TimelineUpdate | FetchFailure] | None = None,
        steer: Callable[[int], SteeringAnswer | FetchFailure] | None = None,
    ) -> None:
        self.engine = engine
        self.now_us = 0
        self.notices: list[tuple[int, Notice]] = []
        """Everything the engine noticed, with the time it did."""
        self.requests: list[tuple[int, FetchSegment]] = []
        """Every segment requested, with the time it was."""
        self._timeline = timeline
        self._beside: dict[str, Track] = {}
        """Tracks that are not in the timeline, by their keys."""
        self._link = SharedLink(link) if link is not None else None
        self._latency_us = link.latency_us if link is not None else 0
        self._init_bytes = init_bytes
        self._size_of = size_of or self._nominal_size
        self._fail = fail
        self._key_after_us = key_after_us
        self._key_failure = key_failure
        self._refresh = refresh
        self._steer = steer
        self.steerings: list[tuple[int, AskSteering]] = []
        """When the engine asked the steering server, and what it told it."""
        self.refreshes: list[int] = []
        """When the engine asked how a live presentation goes on."""
        self._transfers: dict[int, _Transfer] = {}
        self._queue: list[tuple[int, int, Callable[[], None]]] = []
        self._order = count()
        self._unfed: set[TrackKind] = set()
        self._is_finished = False

    def start(self, position_us: int | None = 0) -> None:
        """Start the engine at `position_us` (None: where the presentation is to be joined) and ask it to play."""
        self.engine.start(self._timeline, position_us, now=self.now_us)
        self.engine.play(now=self.now_us)
        self._drain()

    def run(self, until_us: int | None = None) -> None:
        """Advance until playback has ended or failed, nothing is left to happen, or the clock would pass `until_us`."""
        while not self._is_finished:
            timer = self.engine.next_timer()
            due = self._queue[0][0] if self._queue else None
            times = [time for time in (timer, due) if time is not None]
            if not times or (until_us is not None and min(times) > until_us):
                break
            self.now_us = min(times)
            if due is not None and due <= self.now_us:
                heapq.heappop(self._queue)[2]()
            else:
                self.engine.handle_timer(now=self.now_us)
            self._drain()
        if until_us is not None and not self._is_finished:
            self.now_us = max(self.now_us, until_us)

    def list_key_frames(self, track: Track) -> None:
        """Tell the engine of a track to scrub by."""
        self._beside[track.key] = track
        self.call(lambda now: self.engine.list_key_frames(track, now=now))

    def call(self, verb: Callable[[int], None]) -> None:
        """Call a verb of the engine now (`lambda now: engine.seek(…, now=now)`) and obey what follows."""
        verb(self.now_us)
        self._drain()

    # ------------------------------------------------------------------ effects

    def _drain(self) -> None:
        while events := self.engine.take_events():
            for event in events:
                if isinstance(event, Effect):
                    self._obey(event)
                else:
                    self.notices.append((self.now_us, event))
                    if isinstance(event, PlaybackEnded | PlaybackFailed | SeekStarted):
                        self._is_finished = not isinstance(event, SeekStarted)

    def _obey(self, effect: Effect) -> None:
        match effect:
            case FetchSegment():
                self.requests.append((self.now_us, effect))
                failure = self._fail(effect) if self._fail is not None else None
                if failure is not None:
                    self._at(self.now_us + self._latency_us, lambda: self._deliver_failure(effect.request_id, failure))
                else:
                    self._begin(effect.request_id, False, self._size_of(effect))
            case FetchInit():
                self._begin(effect.request_id, True, self._init_bytes)
            case AcquireKey():
                at_us = self.now_us + self._latency_us + self._key_after_us
                self._at(at_us, lambda: self._deliver_key(effect.request_id))
            case RefreshManifest():
                self.refreshes.append(self.now_us)
                self._at(self.now_us + self._latency_us, self._deliver_refresh)
            case AskSteering():
                self.steerings.append((self.now_us, effect))
                self._at(self.now_us + self._latency_us, self._deliver_steering)
            case AbandonSegment():
                self._transfers.pop(effect.request_id, None)
            case PrepareOutput():
                self._unfed = set(effect.tracks - {TrackKind.TEXT})
            case FeedSegment() | EndTrack():
                if effect.track in self._unfed:
                    self._unfed.discard(effect.track)
                    if not self._unfed:
                        self.engine.output_ready(now=self.now_us)
            case _:
                pass

    def _nominal_size(self, effect: FetchSegment) -> int:
        track = self._beside.get(effect.key) or self._timeline.find(effect.key)
        assert track is not None
        return track.size_bytes(effect.index, effect.rung)

    # ------------------------------------------------------------------ the network

    def _at(self, time_us: int, action: Callable[[], None]) -> None:
        heapq.heappush(self._queue, (time_us, next(self._order), action))

    def _begin(self, request_id: int, is_init: bool, size_bytes: int) -> None:
        self._transfers[request_id] = _Transfer(request_id, is_init, size_bytes, told_us=self.now_us)
        self._at(self.now_us + self._latency_us, lambda: self._next_piece(request_id))

    def _next_piece(self, request_id: int) -> None:
        transfer = self._transfers.get(request_id)
        if transfer is None:
            return
        piece, arrives_us = transfer.left_bytes, self.now_us
        if self._link is not None:
            piece, arrives_us = self._link.send(self.now_us, transfer.left_bytes, is_first=transfer.received_bytes == 0)
        self._at(arrives_us, lambda: self._piece_arrived(request_id, piece))

    def _piece_arrived(self, request_id: int, piece: int) -> None:
        transfer = self._transfers.get(request_id)
        if transfer is None:
            return
        transfer.first_byte_us = transfer.first_byte_us or self.now_us
        transfer.received_bytes += piece
        transfer.left_bytes -= piece
        if transfer.left_bytes > 0:
            if not transfer.is_init and self.now_us - transfer.told_us >= PROGRESS_INTERVAL_US:
                transfer.told_us = self.now_us
                self.engine.segment_progress(
                    request_id, transfer.received_bytes, transfer.first_byte_us, now=self.now_us
                )
            self._next_piece(request_id)
            return
        del self._transfers[request_id]
        if transfer.is_init:
            self.engine.init_received(request_id, now=self.now_us)
        else:
            self.engine.segment_received(request_id, transfer.received_bytes, transfer.first_byte_us, now=self.now_us)

    def _deliver_key(self, request_id: int) -> None:
        if self._key_failure is not None:
            self._deliver_failure(request_id, self._key_failure)
        else:
            self.engine.key_received(request_id, now=self.now_us)

    def _deliver_refresh(self) -> None:
        assert self._refresh is not None, "a live timeline comes with a way to refresh it"
        answer = self._refresh(self.now_us)
        if isinstance(answer, FetchFailure):
            self.engine.refresh_failed(answer, now=self.now_us)
        else:
            self._timeline = updated(self._timeline, answer)
            self.engine.timeline_updated(answer, now=self.now_us)

    def _deliver_steering(self) -> None:
        gone = FetchFailure("http_status", "the steering server is gone", retryable=False, status=410)
        answer = self._steer(self.now_us) if self._steer is not None else gone
        if isinstance(answer, FetchFailure):
            self.engine.steering_failed(answer, now=self.now_us)
        else:
            self.engine.steering_answered(answer, now=self.now_us)

    def _deliver_failure(self, request_id: int, failure: FetchFailure) -> None:
        self.engine.segment_failed(request_id, failure, now=self.now_us)
