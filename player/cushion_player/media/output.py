"""DecodedOutput: segments become picture and sound.

One decoder thread a track, started by its first work; pictures wait in a short queue for the renderer, sound is
written to the audio output, whose clock leads. Everything the listener hears, it hears on the event loop.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

from cushion_player.boxes import read_init
from cushion_player.clock import Clock
from cushion_player.errors import DecodeError, NoSuchTrack, UnsupportedCodec
from cushion_player.media.audio_track import AudioTrack
from cushion_player.media.decode_thread import DecodeThread, EndWork, SegmentWork, SwitchWork
from cushion_player.media.media_clock import MediaClock
from cushion_player.media.media_time import MediaTimes
from cushion_player.media.null_output import NullDecodeOutput
from cushion_player.media.text_track import TextTrack
from cushion_player.media.video_track import VideoTrack
from cushion_player.model import Container
from cushion_player.outputs import (
    AudioOutput,
    DecodeFailure,
    DecodeFault,
    MediaFormat,
    MediaSegment,
    OutputListener,
    OutputStats,
    SoundSettings,
    TextRenderer,
    VideoRenderer,
)
from cushion_player.timeline import TrackKind

if TYPE_CHECKING:
    from cushion_player.text.cue import Cue

log = logging.getLogger(__name__)

__all__ = ["DecodedOutput", "NullDecodeOutput"]

REPORT_US: Final = 100_000
"""How often to look whether the output has run dry."""
_HANDLERS: Final = {TrackKind.VIDEO: "vide", TrackKind.AUDIO: "soun"}
POSITION_TURNS: Final = 3
"""Of these looks, so many to one word of the position: the engine carries it on by itself."""


class DecodedOutput:
    """A MediaOutput that decodes with PyAV.

    Rates from 0.25 to 4.0 keep the pitch (atempo); a change is heard once the sound already in the audio output has
    been played. `close` also detaches the renderer and closes the audio output.
    """

    def __init__(
        self,
        renderer: VideoRenderer,
        audio_output: AudioOutput,
        clock: Clock,
        *,
        devices: Sequence[str] = (),
        text_renderer: TextRenderer | None = None,
    ) -> None:
        """Both may be left out.

        devices: hardware to try for decoding video, in order, before software (`cuda`, `videotoolbox` …).
        text_renderer: without one, text is not read and captions are not looked for.
        """
        self._renderer = renderer
        self._audio_output = audio_output
        self._clock = clock
        self._media_clock = MediaClock(clock, audio_output)
        self._video = VideoTrack(self, self._media_clock, devices)
        self._audio = AudioTrack(self, self._media_clock, audio_output)
        self._tracks: dict[TrackKind, DecodeThread] = {}
        self._formats: dict[TrackKind, MediaFormat] = {}
        self._refused: dict[TrackKind, DecodeFailure] = {}
        self._listener: OutputListener | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._reports: asyncio.Task[None] | None = None
        self._times = MediaTimes()
        self._text = TextTrack(text_renderer, clock, self._media_clock, self._times.known_us, self._tell_failed)
        self._awaits_ready = False
        self._told_starved = False
        self._told_dropped = 0
        self._played_before = 0
        self._is_closed = False
        self._volume = 1.0
        self._sound = SoundSettings()

    # ------------------------------------------------------------------ MediaOutput

    def attach(self, listener: OutputListener) -> None:
        self._listener = listener

    def prepare(self, position_us: int, tracks: frozenset[TrackKind]) -> None:
        if self._is_closed:
            return
        if self._loop is None:
            self._loop = asyncio.get_running_loop()
            self._renderer.attach(self._video)
        self.stop()
        self._played_before += self._audio_output.played_samples()
        self._tracks = {track.kind: track for track in (self._video, self._audio) if track.kind in tracks}
        self._audio_output.flush()
        self._text.prepare()  # first: the video decoder must find its captions at the new jump
        for track in (self._video, self._audio):
            track.prepare(position_us)
        self._media_clock.prepare(position_us, TrackKind.AUDIO in tracks)
        self._text.refresh()
        self._times.unsettle()
        self._awaits_ready = True
        self._told_starved = False

    def switch_format(self, track: TrackKind, media_format: MediaFormat) -> None:
        if track is TrackKind.TEXT:
            self._text.switch_format(media_format)
        elif track in self._tracks:
            if media_format != self._formats.get(track):
                self._look_at(track, media_format)
            self._formats[track] = media_format
            self._tracks[track].submit(SwitchWork(media_format))

    def feed(self, track: TrackKind, segment: MediaSegment) -> None:
        if track is TrackKind.TEXT:
            self._text.feed(segment)
        elif track in self._tracks:
            assert track in self._formats, "a format comes before the first segment"
            offset_us = self._times.offset_us(track, self._formats[track], segment)
            self._tracks[track].submit(SegmentWork(segment, offset_us))
            self._text.place()

    def cut(self, track: TrackKind, from_us: int) -> None:
        if track is TrackKind.TEXT:
            self._text.cut(from_us)
        elif track in self._tracks:
            self._tracks[track].cut(from_us)

    def end_track(self, track: TrackKind) -> None:
        if track in self._tracks:
            self._tracks[track].submit(EndWork())

    def start(self, position_us: int, rate: float) -> None:
        if self._is_closed:
            return
        self._told_starved = False
        self._audio.set_speed(rate)
        self._media_clock.start(position_us, rate)
        self._audio_output.start()
        self._audio.nudge()
        self._text.start()
        if self._reports is None:
            self._reports = asyncio.get_running_loop().create_task(self._report(), name="cushion-output-reports")
            self._reports.add_done_callback(_log_failure)

    def stop(self) -> None:
        self._audio_output.stop()
        self._media_clock.stop()
        self._text.stop()
        if self._reports is not None:
            self._reports.cancel()
            self._reports = None

    def set_volume(self, volume: float) -> None:
        self._volume = min(max(volume, 0.0), 1.0)
        self._audio_output.set_volume(0.0 if self._sound.muted else self._volume)

    def set_sound(self, settings: SoundSettings) -> None:
        """Delay and loudness are heard once the sound already in the audio output has been played."""
        self._sound = settings
        self._audio.set_sound(settings)
        self.set_volume(self._volume)

    def step(self, frames: int) -> int | None:
        if self._media_clock.is_running or self._is_closed:
            return None
        picture = self._video.step(frames)
        return picture.time_us if picture is not None else None

    def set_subtitles(self, cues: tuple[Cue, ...]) -> None:
        self._text.set_beside(cues)

    def select_captions(self, service: str | None) -> None:
        self._video.tap_captions(self._text.tap(service, self._post))

    def show_only_forced_text(self, only: bool) -> None:
        """Of the text track, show only what is for everybody (foreign speech, signs)."""
        self._text.show_only_forced(only)

    def stats(self) -> OutputStats:
        """A frame shown again after seeking back counts again. Corrupt frames of sound count too."""
        last = self._video.last_shown
        played = self._played_before + (0 if self._is_closed else self._audio_output.played_samples())
        return OutputStats(
            frames_shown=self._video.shown,
            frames_dropped=self._video.dropped,
            frames_skipped=self._video.skipped,
            frames_corrupt=self._video.corrupt + self._audio.corrupt,
            audio_played_us=played * 1_000_000 // self._audio_output.sample_rate_hz,
            position_us=self._media_clock.position_us(),
            last_frame_us=last.time_us if last is not None else -1,
            last_frame_height_px=last.height_px if last is not None else 0,
            decoded_bytes=self._video.queued_bytes() + self._audio.queued_bytes(),
        )

    async def close(self) -> None:
        if self._is_closed:
            return
        reports = self._reports
        self.stop()
        self._played_before += self._audio_output.played_samples()
        await self._text.close()
        self._is_closed = True
        if self._loop is not None:
            self._renderer.detach()
        for track in (self._video, self._audio):
            track.close()
        if reports is not None:
            await asyncio.gather(reports, return_exceptions=True)
        for track in (self._video, self._audio):
            await _joined(track)
        self._audio_output.close()

    @property
    def is_running(self) -> bool:
        """Whether the media clock runs."""
        return self._media_clock.is_running

    def is_settled(self) -> bool:
        """Whether no decoder can go on until the clock moves or more is fed; what virtual-time tests wait for."""
        if all(track.is_settled() for track in self._tracks.values()) and self._text.is_settled():
            return True
        self._audio.nudge()
        return False

    # ------------------------------------------------------------------ TrackListener, on the decoders' threads

    def on_track_progress(self) -> None:
        self._post(self._tell_ready)

    def on_track_failed(self, failure: DecodeFailure) -> None:
        self._post(self._tell_failed, failure)

    def on_track_absent(self, failure: DecodeFailure) -> None:
        self._post(self._tell_absent, failure)

    def on_track_metadata(self, time_us: int, data: bytes) -> None:
        self._post(self._tell_metadata, time_us, data)

    def _post(self, callback: Callable[..., None], *arguments: object) -> None:
        loop = self._loop
        assert loop is not None, "threads start after prepare"
        try:
            loop.call_soon_threadsafe(callback, *arguments)
        except RuntimeError:
            pass  # the loop was closed under us: nobody is left to tell

    # ------------------------------------------------------------------ telling the listener

    def _tell_ready(self) -> None:
        if self._awaits_ready and not self._is_closed and all(track.is_ready for track in self._tracks.values()):
            self._awaits_ready = False
            if self._listener is not None:
                self._listener.on_output_ready()

    def _tell_failed(self, failure: DecodeFailure) -> None:
        if failure.code in (DecodeFault.INIT, DecodeFault.CODEC):
            if self._refused.get(failure.track) == failure:
                return  # told when it was fed
            self._refused[failure.track] = failure
        if self._listener is not None and not self._is_closed:
            self._listener.on_decode_failed(failure)

    def _tell_absent(self, failure: DecodeFailure) -> None:
        """A failure only where the media has nothing for any track."""
        if all(track.is_absent for track in self._tracks.values()):
            self._tell_failed(failure)

    def _look_at(self, track: TrackKind, shown: MediaFormat) -> None:
        """Tell at once of an initialisation segment that no decoder will read: long before it is its turn."""
        if shown.container is not Container.MP4 or self._loop is None:
            return
        try:
            read_init(shown.init, _HANDLERS[track])
        except UnsupportedCodec as error:
            if shown.is_shared and isinstance(error, NoSuchTrack):
                return
            code, message = DecodeFault.CODEC, str(error)
        except DecodeError as error:
            code, message = DecodeFault.INIT, f"the initialisation segment of the {track} track cannot be read: {error}"
        else:
            return
        failure = DecodeFailure(track, code, message, shown.rung, key=shown.key, index=shown.index)
        self._loop.call_soon(self._tell_failed, failure)

    def _tell_metadata(self, time_us: int, data: bytes) -> None:
        if self._listener is not None and not self._is_closed:
            self._listener.on_metadata(time_us, data)

    async def _report(self) -> None:
        turn = 0
        while True:
            await self._clock.sleep_until(self._clock.now_us() + REPORT_US)
            if self._listener is None or not self._media_clock.is_running:
                continue
            position_us = self._media_clock.position_us()
            if turn % POSITION_TURNS == 0:
                self._listener.on_position(position_us)
            turn += 1
            self._tell_dropped()
            if not self._told_starved and self._is_starved(position_us):
                self._told_starved = True
                self._listener.on_output_starved()

    def _tell_dropped(self) -> None:
        dropped = self._video.dropped + self._video.skipped
        if dropped > self._told_dropped and self._listener is not None:
            self._listener.on_frames_dropped(dropped - self._told_dropped)
            self._told_dropped = dropped

    def _is_starved(self, position_us: int) -> bool:
        return (TrackKind.VIDEO in self._tracks and self._video.is_starved(position_us)) or (
            TrackKind.AUDIO in self._tracks and self._audio.is_starved()
        )


def _log_failure(task: asyncio.Task[None]) -> None:
    """Nobody waits for the task: an error of whoever listens would go unheard."""
    if not task.cancelled() and (error := task.exception()) is not None:
        log.error("the output tells nothing any more", exc_info=error)


async def _joined(track: DecodeThread) -> None:
    """Wait for a closed track's thread to end without blocking the loop."""
    while track.thread is not None and track.thread.is_alive():  # noqa: ASYNC110 (the end of a thread cannot be awaited)
        await asyncio.sleep(0.001)
