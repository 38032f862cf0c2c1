"""One output for several players: who has it plays; the others fetch, and are heard when it is handed to them."""

from __future__ import annotations

from collections.abc import Callable

from cushion_player.outputs import (
    DecodeFailure,
    MediaFormat,
    MediaOutput,
    MediaSegment,
    OutputListener,
    OutputStats,
    SoundSettings,
)
from cushion_player.text import Cue
from cushion_player.timeline import TrackKind


class OutputSwitch:
    """Owns the real output. `handle` makes a MediaOutput for a player; `give_to` says which one is played."""

    def __init__(self, output: MediaOutput) -> None:
        self._output = output
        self._active: OutputHandle | None = None
        output.attach(_Relay(self))

    def handle(self) -> OutputHandle:
        return OutputHandle(self)

    def give_to(self, handle: OutputHandle) -> None:
        """From now on this one plays: what it was told since its last `prepare` is told to the output now."""
        if self._active is handle:
            return
        if self._active is not None:
            self._output.stop()
        self._active = handle
        handle.replay(self._output)

    def is_active(self, handle: OutputHandle) -> bool:
        return self._active is handle

    @property
    def output(self) -> MediaOutput:
        return self._output

    @property
    def listener(self) -> OutputListener | None:
        """Who is to hear the output now."""
        return self._active.listener if self._active is not None else None


class OutputHandle:
    """A MediaOutput that plays while it is the active one, and remembers what it was told while it is not."""

    def __init__(self, switch: OutputSwitch) -> None:
        self.listener: OutputListener | None = None
        self._switch = switch
        self._told: list[Callable[[MediaOutput], None]] = []
        self._cues: tuple[Cue, ...] = ()

    def replay(self, output: MediaOutput) -> None:
        """Tell the output all that this player said."""
        output.set_subtitles(self._cues)
        told, self._told = self._told, []
        for say in told:
            say(output)

    def attach(self, listener: OutputListener) -> None:
        self.listener = listener

    def prepare(self, position_us: int, tracks: frozenset[TrackKind]) -> None:
        self._told.clear()
        self._say(lambda output: output.prepare(position_us, tracks))

    def switch_format(self, track: TrackKind, media_format: MediaFormat) -> None:
        self._say(lambda output: output.switch_format(track, media_format))

    def feed(self, track: TrackKind, segment: MediaSegment) -> None:
        self._say(lambda output: output.feed(track, segment))

    def cut(self, track: TrackKind, from_us: int) -> None:
        self._say(lambda output: output.cut(track, from_us))

    def end_track(self, track: TrackKind) -> None:
        self._say(lambda output: output.end_track(track))

    def start(self, position_us: int, rate: float) -> None:
        self._say(lambda output: output.start(position_us, rate))

    def stop(self) -> None:
        self._say(lambda output: output.stop())

    def set_volume(self, volume: float) -> None:
        """Volume is everybody's."""
        self._switch.output.set_volume(volume)

    def set_subtitles(self, cues: tuple[Cue, ...]) -> None:
        """Of this player alone: hidden while another one plays."""
        self._cues = cues
        if self._switch.is_active(self):
            self._switch.output.set_subtitles(cues)

    def select_captions(self, service: str | None) -> None:
        """As volume: everybody's."""
        self._switch.output.select_captions(service)

    def set_sound(self, settings: SoundSettings) -> None:
        """As volume: everybody's."""
        self._switch.output.set_sound(settings)

    def step(self, frames: int) -> int | None:
        return self._switch.output.step(frames) if self._switch.is_active(self) else None

    def stats(self) -> OutputStats:
        """What reached the output, whoever had it."""
        return self._switch.output.stats()

    async def close(self) -> None:
        """The output stays: it is the switch's."""
        self._told.clear()

    def _say(self, what: Callable[[MediaOutput], None]) -> None:
        if self._switch.is_active(self):
            what(self._switch.output)
        else:
            self._told.append(what)


class _Relay:
    """Hears the real output and tells the player that has it."""

    def __init__(self, switch: OutputSwitch) -> None:
        self._switch = switch

    def on_output_ready(self) -> None:
        if self._switch.listener is not None:
            self._switch.listener.on_output_ready()

    def on_output_starved(self) -> None:
        if self._switch.listener is not None:
            self._switch.listener.on_output_starved()

    def on_position(self, position_us: int) -> None:
        if self._switch.listener is not None:
            self._switch.listener.on_position(position_us)

    def on_frames_dropped(self, count: int) -> None:
        if self._switch.listener is not None:
            self._switch.listener.on_frames_dropped(count)

    def on_decode_failed(self, failure: DecodeFailure) -> None:
        if self._switch.listener is not None:
            self._switch.listener.on_decode_failed(failure)

    def on_metadata(self, time_us: int, data: bytes) -> None:
        if self._switch.listener is not None:
            self._switch.listener.on_metadata(time_us, data)
