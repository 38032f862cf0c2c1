"""A playlist that says nothing of codecs may have sound inside its video's segments, or none: playback finds out."""

from __future__ import annotations

from cushion_player.media.null_output import NullDecodeOutput
from cushion_player.notices import MediaDamaged, Notice, PlaybackEnded, PlaybackFailed
from cushion_player.outputs import DecodeFailure, DecodeFault, MediaFormat, MediaSegment
from cushion_player.player import Player
from cushion_player.testing.clock import FakeClock
from cushion_player.testing.transport import FakeTransport
from cushion_player.timeline import TrackKind

BASE = "http://origin/"


class DeafOutput(NullDecodeOutput):
    """Finds no sound in any initialisation segment, and waits for some until it is told of an end."""

    def __init__(self, clock: FakeClock) -> None:
        super().__init__(clock)
        self.prepared: list[frozenset[TrackKind]] = []

    def prepare(self, position_us: int, tracks: frozenset[TrackKind]) -> None:
        self.prepared.append(tracks)
        super().prepare(position_us, tracks)

    def switch_format(self, track: TrackKind, media_format: MediaFormat) -> None:
        if track is TrackKind.AUDIO:
            assert self._listener is not None
            message = "the initialisation segment has no audio track"
            self._listener.on_decode_failed(
                DecodeFailure(track, DecodeFault.INIT, message, 0, key=media_format.key, index=media_format.index)
            )

    def feed(self, track: TrackKind, segment: MediaSegment) -> None:
        if track is not TrackKind.AUDIO:
            super().feed(track, segment)


def test_video_that_turns_out_to_carry_no_sound_plays_without() -> None:
    clock = FakeClock()
    lines = "".join(f"#EXTINF:2,\n{index}.m4s\n" for index in range(4))
    playlist = f'#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXT-X-MAP:URI="init.mp4"\n{lines}#EXT-X-ENDLIST\n'
    segment = (100).to_bytes(4, "big") + b"mdat" + bytes(92)
    content = {f"{BASE}m.m3u8": playlist.encode(), f"{BASE}init.mp4": bytes(500)}
    content |= {f"{BASE}{index}.m4s": segment for index in range(4)}
    output = DeafOutput(clock)
    notices: list[Notice] = []

    async def play() -> PlaybackEnded | PlaybackFailed:
        transport = FakeTransport(clock, content, latency_us=5_000)
        async with Player(transport=transport, clock=clock, output=output) as player:
            player.subscribe(notices.append)
            await player.load(f"{BASE}m.m3u8")
            player.play()
            await clock.sleep_until(clock.now_us() + 2_000_000)
            player.seek(5_000_000)
            return await player.wait_finished()

    assert isinstance(clock.run(play(), limit_us=60_000_000), PlaybackEnded)
    assert output.prepared == [frozenset({TrackKind.VIDEO, TrackKind.AUDIO}), frozenset({TrackKind.VIDEO})]
    assert not [notice for notice in notices if isinstance(notice, MediaDamaged)]
