"""Opening decoders, with and without hardware."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import av
import pytest
from av.codec.hwaccel import hwdevices_available
from av.error import ExternalError

from cushion_player.errors import UnsupportedCodec, UsageError
from cushion_player.media import codec_context, decode
from cushion_player.media.codec_context import open_context
from cushion_player.media.decode import Frame, TrackDecoder
from cushion_player.media.demux import CodecConfig
from cushion_player.media.hardware import MAX_HELD_BYTES, SinceKeyFrame, devices_of
from cushion_player.model import Container
from cushion_player.outputs import MediaFormat
from cushion_player.timeline import TrackKind
from tests.player.media.film_ladder import FilmLadder
from tests.player.media.samples import code_of

H264 = CodecConfig("h264", "avc1", b"", 426, 240)


@pytest.mark.parametrize("device", ["cuda", "no-such-device", *hwdevices_available()])
def test_where_a_device_is_not_there_software_decodes(ladder: FilmLadder, device: str) -> None:
    decoder = TrackDecoder(TrackKind.VIDEO, devices=(device,))
    decoder.switch(MediaFormat(0, Container.MP4, ladder.inits[0]))

    frames: list[Frame] = [*decoder.decode(ladder.segments[0][0], 0, 0), *decoder.drain()]

    assert [code_of(frame) for frame in frames] == list(range(30))


def test_devices_are_tried_in_order_until_one_takes_the_stream(monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[str] = []
    taken = av.CodecContext.create("h264", "r")

    def open_in_hardware(config: CodecConfig, device: str) -> object:
        tried.append(device)
        return taken if device == "second" else None

    monkeypatch.setattr(codec_context, "_open_in_hardware", open_in_hardware)

    assert open_context(H264, TrackKind.VIDEO, ("first", "second", "third")) is taken
    assert tried == ["first", "second"]


class Device:
    """A decoder in hardware that fails with one of its packets; None for all that is held back at the end."""

    is_hwaccel = True

    def __init__(self, inner: av.VideoCodecContext, fails_at: int | None) -> None:
        self._inner = inner
        self._fails_at = fails_at
        self._packets = 0

    def decode(self, packet: av.Packet[Any] | None) -> list[av.VideoFrame]:
        if self._packets == self._fails_at or (packet is None and self._fails_at is None):
            raise ExternalError(1, "the device was lost")
        self._packets += 1
        return self._inner.decode(packet)

    def __getattr__(self, name: str) -> object:
        return getattr(self._inner, name)


@pytest.mark.logs_warnings
@pytest.mark.parametrize("fails_at", [0, 1, 17, 29, 45, None])
def test_when_a_device_fails_software_goes_on_without_a_lost_or_repeated_frame(
    ladder: FilmLadder, monkeypatch: pytest.MonkeyPatch, fails_at: int | None
) -> None:
    opened: list[Sequence[str]] = []

    def open_first_in_hardware(config: CodecConfig, kind: TrackKind, devices: Sequence[str] = ()) -> object:
        opened.append(devices)
        context = open_context(config, kind)
        assert isinstance(context, av.VideoCodecContext)
        return Device(context, fails_at) if devices else context

    monkeypatch.setattr(decode, "open_context", open_first_in_hardware)
    decoder = TrackDecoder(TrackKind.VIDEO, devices=("cuda",))
    decoder.switch(MediaFormat(0, Container.MP4, ladder.inits[0]))
    frames: list[Frame] = []
    for index in range(2):
        frames += decoder.decode(ladder.segments[0][index], index * 1_000_000, 0)
    frames += decoder.drain()

    assert [code_of(frame) for frame in frames] == list(range(60))
    assert decoder.corrupt == 0
    assert opened == [("cuda",), ()]


@pytest.mark.logs_warnings
def test_a_seek_after_a_failure_stays_in_software(ladder: FilmLadder, monkeypatch: pytest.MonkeyPatch) -> None:
    real = open_context

    def open_first_in_hardware(config: CodecConfig, kind: TrackKind, devices: Sequence[str] = ()) -> object:
        context = real(config, kind)
        assert isinstance(context, av.VideoCodecContext)
        return Device(context, 3) if devices else context

    monkeypatch.setattr(decode, "open_context", open_first_in_hardware)
    decoder = TrackDecoder(TrackKind.VIDEO, devices=("cuda",))
    decoder.switch(MediaFormat(0, Container.MP4, ladder.inits[0]))
    list(decoder.decode(ladder.segments[0][0], 0, 0))
    decoder.reset()

    decoder.switch(MediaFormat(0, Container.MP4, ladder.inits[0]))
    frames: list[Frame] = [*decoder.decode(ladder.segments[0][1], 1_000_000, 0), *decoder.drain()]

    assert [code_of(frame) for frame in frames] == list(range(30, 60))


def test_a_device_that_cannot_decode_a_codec_is_not_taken() -> None:
    context = open_context(CodecConfig("libdav1d", "av01", b"", 426, 240), TrackKind.VIDEO, hwdevices_available())

    assert context.name == "libdav1d"


def test_devices_by_name() -> None:
    known = hwdevices_available()

    assert devices_of("off") == ()
    assert set(devices_of("auto")) <= set(known)
    assert devices_of(" , ".join(known)) == tuple(known)
    with pytest.raises(UsageError, match="no hardware 'toaster' to decode with: here it is auto, off, "):
        devices_of("toaster")


def test_sound_is_never_decoded_in_hardware(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(config: CodecConfig, device: str) -> object:
        pytest.fail(f"tried {device} for {config.codec}")

    monkeypatch.setattr(codec_context, "_open_in_hardware", refuse)

    context = open_context(CodecConfig("ac3", "ac-3"), TrackKind.AUDIO, ("cuda",))

    assert context.type == "audio"


@pytest.mark.parametrize("codec", ["no-such-codec", "libx264"])
def test_a_codec_without_a_decoder_is_named(codec: str) -> None:
    with pytest.raises(UnsupportedCodec, match="cannot decode what it is"):
        open_context(CodecConfig(codec, "what it is"), TrackKind.VIDEO)


def test_packets_for_a_software_decoder_are_held_up_to_a_limit() -> None:
    held = SinceKeyFrame()
    packet = av.Packet(bytes(MAX_HELD_BYTES // 4))

    for expected in (1, 2, 3, 4, 0, 0):
        held.gave(packet)
        assert held.n_packets == expected

    packet.is_keyframe = True
    held.gave(packet)
    assert held.n_packets == 1
