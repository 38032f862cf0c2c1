"""Opening decoders, with and without hardware."""

from __future__ import annotations

import av
import pytest
from av.codec.hwaccel import hwdevices_available

from cushion_player.errors import UnsupportedCodec
from cushion_player.media import codec_context
from cushion_player.media.codec_context import open_context
from cushion_player.media.decode import Frame, TrackDecoder
from cushion_player.media.demux import CodecConfig
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
