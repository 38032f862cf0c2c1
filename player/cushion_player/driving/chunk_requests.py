"""One request for a segment that is played while it comes: what is received is looked at, timed, and told on."""

from __future__ import annotations

from collections.abc import Callable

from cushion_player.chunks import BusyMeter, Playable
from cushion_player.clock import Clock
from cushion_player.driving.arriving import Arrival
from cushion_player.driving.receiving import Body, LinkBytes, Receiver
from cushion_player.driving.receiving_parts import PartNews, PartsReceiver, Spawn
from cushion_player.effects import FetchSegment
from cushion_player.engine import PlaybackEngine
from cushion_player.transport.base import FetchRequest, FetchTimeouts, Transport


class ChunkRequest:
    """Makes the receiver of one request, and hears from it. `arrival` has what has come."""

    def __init__(
        self,
        effect: FetchSegment,
        engine: PlaybackEngine,
        clock: Clock,
        link: LinkBytes,
        init: Callable[[], bytes],
        call: Callable[[Callable[[int], None]], None],
        on_progress: Callable[[int, int], None],
        kept: Body | None,
    ) -> None:
        """init: the initialisation segment as far as it is there. call: runs a verb of the engine.

        on_progress: hears (bytes in all, first_byte_us). kept: what an earlier request had brought.
        """
        self.arrival = Arrival(effect.track, effect.start_us, init, self._playable)
        self.arrival.has_told = kept is not None  # by the earlier one
        self._effect = effect
        self._engine = engine
        self._clock = clock
        self._link = link
        self._call = call
        self._progress = on_progress
        self._kept = kept
        self._receiver: Receiver | PartsReceiver | None = None

    def in_one(self, transport: Transport, request: FetchRequest) -> Receiver:
        """Receive it in one body."""
        receiver = self._receiver = Receiver(
            transport,
            self._clock,
            request,
            kept=self._kept,
            on_progress=self._on_progress,
            on_refused=self._on_refused,
            is_growing=True,
        )
        self.arrival.begin(receiver.body)
        return receiver

    def in_parts(
        self, transport: Transport, news: PartNews, label: str, timeouts: FetchTimeouts, spawn: Spawn
    ) -> PartsReceiver:
        """Receive it part by part."""
        receiver = self._receiver = PartsReceiver(
            transport,
            self._clock,
            news,
            label=label,
            timeouts=timeouts,
            spawn=spawn,
            kept=self._kept,
            on_read=self._on_read,
            on_part=self._on_part,
            on_refused=self._on_refused,
        )
        self.arrival.begin(receiver.body)
        return receiver

    # ------------------------------------------------------------------ what receivers tell

    def _on_progress(self, received_bytes: int, first_byte_us: int) -> None:
        self._link.add(received_bytes - self.arrival.n_bytes)
        self.arrival.read(self._link.total, self._clock.now_us())
        self._progress(received_bytes, first_byte_us)

    def _on_read(self, n_bytes: int) -> None:
        self._link.add(n_bytes)
        self.arrival.meter.read(n_bytes, self._link.total, is_between=False, now=self._clock.now_us())

    def _on_part(self) -> None:
        self.arrival.meter.rest()
        self.arrival.look_again()

    def _on_refused(self) -> None:
        assert self._receiver is not None, "who refuses was made"
        self.arrival.begin(self._receiver.body)
        self._call(lambda now: self._engine.resume_refused(self._effect.request_id, now=now))

    def _playable(self, playable: Playable, meter: BusyMeter) -> None:
        self._call(
            lambda now: self._engine.chunk_received(
                self._effect.request_id, playable.n_bytes, playable.end_us, meter.figures(), now=now
            )
        )
