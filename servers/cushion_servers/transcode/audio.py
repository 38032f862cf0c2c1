"""Encode a title's sound whole and cut it on packets near the video segments' borders.

AAC cannot be encoded in chunks without clicks, and it is cheap. The sound of a repeated clip is repeated as samples, so
that it stays in step with the picture at every repetition.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from fractions import Fraction
from itertools import pairwise
from typing import Final, TypeAlias

import numpy as np
from av.audio.codeccontext import AudioCodecContext
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.audio.stream import AudioStream
from av.codec import CodecContext
from av.packet import Packet
from numpy.typing import NDArray

from cushion_servers.errors import IngestError, PackagingError, StepCancelled
from cushion_servers.store import ObjectStore
from cushion_servers.transcode.facts import (
    AAC_FRAME_SAMPLES,
    AUDIO_BITRATE_BPS,
    AUDIO_RATE_HZ,
    SegmentRecord,
    Source,
    TrackRecord,
)
from cushion_servers.transcode.fragments import MuxedParts, read_init, read_segment, split_muxed, with_times
from cushion_servers.transcode.grid import StopCheck
from cushion_servers.transcode.package import open_muxer, store_segment, store_track
from cushion_servers.transcode.probe import check_unchanged, opened, picture_stream

AudioPacket: TypeAlias = "Packet[AudioStream]"
Samples = NDArray[np.float32]
"""(2, n) float32 at 48 kHz."""

_TIME_BASE: Final = Fraction(1, AUDIO_RATE_HZ)
_GAP_SAMPLES: Final = 480
"""Timestamps that jump by more than 10 ms are a gap to fill or an overlap to drop; less is rounding."""


def encode_audio(
    source: Source, track: str, borders: list[int], repeats: int, store: ObjectStore, should_stop: StopCheck
) -> TrackRecord:
    """Encode the sound of `repeats` runs of the source, cut near `borders`, store and describe it.

    borders: sample positions where video segments start, ascending from 0, and the title's end as the last one.
    Raises IngestError, PackagingError, StoreError or StepCancelled.
    """
    check_unchanged(source)
    encoder = _encoder()
    packets: list[AudioPacket] = []
    for number, block in enumerate(_repeated(source, repeats, should_stop)):
        packets += encoder.encode(_frame(block, number * AAC_FRAME_SAMPLES))
    packets += encoder.encode(None)
    priming = -(packets[0].pts or 0)
    segments = list[SegmentRecord]()
    init = b""
    for number, (first, end) in enumerate(pairwise(_cuts(borders, len(packets), priming))):
        parts = _muxed(encoder, packets[first:end], number)
        if number == 0:
            init = parts.init
            if read_init(init).edit_start != priming:
                raise PackagingError(f"{track}: the init segment does not take the encoder's priming off.")
        # The muxer starts each run on its own: only the first knows of the priming before it.
        data = with_times(parts.segments[0], decode_time=first * AAC_FRAME_SAMPLES, sequence=number + 1)
        facts = read_segment(data, video=False)
        if facts.sample_count != end - first or len(parts.segments) != 1:
            raise PackagingError(f"{track}: segment {number} lost packets.")
        segments.append(
            SegmentRecord(media=store_segment(store, data), start=facts.decode_time, duration=facts.duration)
        )
    return store_track(store, track, init, segments)


def _encoder() -> AudioCodecContext:
    encoder = CodecContext.create("aac", "w")
    assert isinstance(encoder, AudioCodecContext)
    encoder.sample_rate, encoder.layout, encoder.format = AUDIO_RATE_HZ, "stereo", "fltp"
    encoder.bit_rate, encoder.time_base, encoder.thread_count = AUDIO_BITRATE_BPS, _TIME_BASE, 1
    return encoder


def _frame(block: Samples, position: int) -> AudioFrame:
    frame = AudioFrame.from_ndarray(block, format="fltp", layout="stereo")
    frame.sample_rate, frame.pts, frame.time_base = AUDIO_RATE_HZ, position, _TIME_BASE
    return frame


def _cuts(borders: list[int], packet_count: int, priming: int) -> list[int]:
    """Packet indices where segments begin, with the packet count as the last: the packets nearest to the borders."""
    inner = {round((border + priming) / AAC_FRAME_SAMPLES) for border in borders[1:-1]}
    return [0, *sorted(cut for cut in inner if 0 < cut < packet_count), packet_count]


def _muxed(encoder: AudioCodecContext, packets: list[AudioPacket], number: int) -> MuxedParts:
    buffer = io.BytesIO()
    with open_muxer(buffer, number, absolute=number > 0) as muxer:
        stream = muxer.add_stream("aac", rate=AUDIO_RATE_HZ, layout="stereo")
        assert isinstance(stream, AudioStream)
        # Without this the esds box has no AudioSpecificConfig: FFmpeg plays it, browsers refuse it.
        stream.codec_context.extradata = encoder.extradata
        stream.codec_context.bit_rate = AUDIO_BITRATE_BPS
        for packet in packets:
            packet.stream, packet.time_base = stream, _TIME_BASE
            muxer.mux(packet)
    return split_muxed(buffer.getvalue())


def _repeated(source: Source, repeats: int, should_stop: StopCheck) -> Iterator[Samples]:
    """Blocks of AAC_FRAME_SAMPLES samples (the last one shorter), as long as `repeats` runs of the picture."""
    run = source.info.frame_count / source.info.fps * AUDIO_RATE_HZ
    pending: Samples = np.zeros((2, 0), np.float32)
    for start, end in pairwise(round(run * k) for k in range(repeats + 1)):
        for block in _one_run(source, end - start):
            if should_stop():
                raise StepCancelled("The backend is stopping.")
            pending = np.concatenate((pending, block), axis=1)
            whole = pending.shape[1] // AAC_FRAME_SAMPLES * AAC_FRAME_SAMPLES
            for at in range(0, whole, AAC_FRAME_SAMPLES):
                yield np.ascontiguousarray(pending[:, at : at + AAC_FRAME_SAMPLES])
            pending = pending[:, whole:]
    if pending.shape[1]:
        yield np.ascontiguousarray(pending)


def _one_run(source: Source, length: int) -> Iterator[Samples]:
    """Exactly `length` samples beginning with the first picture: silence where the source has none, the rest cut."""
    at = 0
    for position, block in _decoded(source):
        skip = 0
        if position > at + _GAP_SAMPLES:
            gap = min(position, length) - at
            if gap > 0:
                yield np.zeros((2, gap), np.float32)
                at += gap
        elif position < at - _GAP_SAMPLES:
            skip = at - position
        piece = block[:, skip : skip + length - at]
        if piece.shape[1]:
            yield piece
            at += piece.shape[1]
        if at >= length:
            return
    yield np.zeros((2, length - at), np.float32)


def _decoded(source: Source) -> Iterator[tuple[int, Samples]]:
    """(position in samples from the first picture, samples) as decoded and resampled to 48 kHz stereo."""
    with opened(source.path) as container:
        picture = picture_stream(container, source.path)
        origin = source.info.first_pts * (picture.time_base or Fraction(1, 1000))
        stream = container.streams.audio[0]
        stream.codec_context.thread_count = 1
        resampler = AudioResampler(format="fltp", layout="stereo", rate=AUDIO_RATE_HZ)
        expected: int | None = None
        for frame in container.decode(stream):
            if frame.is_corrupt:
                raise IngestError(f"The sound of {source.path} is damaged.")
            if frame.pts is not None and frame.time_base is not None:
                position = round((frame.pts * frame.time_base - origin) * AUDIO_RATE_HZ)
                if expected is None or abs(position - expected) > 2 * _GAP_SAMPLES:
                    expected = position
            for block in resampler.resample(frame):
                samples = _samples(block)
                yield expected or 0, samples
                expected = (expected or 0) + samples.shape[1]
        for block in resampler.resample(None):
            yield expected or 0, _samples(block)


def _samples(frame: AudioFrame) -> Samples:
    return np.asarray(frame.to_ndarray(), np.float32)
