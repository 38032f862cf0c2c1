"""MPEG-TS and packed audio under HLS SAMPLE-AES, encrypted by the letter of Apple's document, muxed by PyAV."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from typing import Any

import av
import numpy as np

from tests.player.encrypting import KEY, aes, xor

IV = bytes.fromhex("a0a1a2a3a4a5a6a7a8a9aaabacadaeaf")
CLEAR_TYPES = {"h264": 0x1B, "aac": 0x0F, "ac3": 0x81, "eac3": 0x87}
ENCRYPTED_TYPES = {"h264": 0xDB, "aac": 0xCF, "ac3": 0xC1, "eac3": 0xC2}


@dataclass(frozen=True)
class Pair:
    """The same media in the clear and encrypted."""

    clear: bytes
    encrypted: bytes


def chain(data: bytes, picked: range) -> bytes:
    """Encrypt the blocks that start at `picked`, chained from IV."""
    out, before = bytearray(data), IV
    for at in picked:
        before = aes(KEY, xor(data[at : at + 16], before))
        out[at : at + 16] = before
    return bytes(out)


def encrypt_unit(unit: bytes) -> bytes:
    """A NAL unit, and emulation prevention once more over the result."""
    if unit[0] & 0x1F not in (1, 5) or len(unit) <= 48:
        return unit
    return escape(chain(unit, range(32, len(unit) - 16, 160)))


def escape(data: bytes) -> bytes:
    """Emulation prevention (ITU-T H.264 7.4.1)."""
    out, zeros = bytearray(), 0
    for byte in data:
        if zeros >= 2 and byte <= 3:
            out.append(3)
            zeros = 0
        out.append(byte)
        zeros = zeros + 1 if byte == 0 else 0
    return bytes(out)


def encrypt_picture(data: bytes) -> bytes:
    units = re.split(b"\0{2,}\1", data)
    return b"".join(b"\0\0\0\1" + encrypt_unit(unit) for unit in units if unit)


def encrypt_adts(frame: bytes) -> bytes:
    header = 7 if frame[1] & 1 else 9
    return chain(frame, range(header + 16, len(frame) - 15, 16))


def encrypt_dolby(frame: bytes) -> bytes:
    return chain(frame, range(16, len(frame) - 15, 16))


def adts(payload: bytes) -> bytes:
    """AAC-LC, 48 kHz, stereo."""
    size = len(payload) + 7
    head = 0xFFF << 44 | 1 << 40 | 1 << 38 | 3 << 34 | 2 << 30 | size << 13 | 0x7FF << 2
    return head.to_bytes(7, "big") + payload


@cache
def pictures(n_frames: int = 24) -> list[tuple[int, bytes]]:
    """(time, H.264 byte stream) of noisy pictures, whose coded bytes are many and full of emulation prevention."""
    stream = av.open(io.BytesIO(), "w", format="mpegts").add_stream("libx264", rate=30)
    assert isinstance(stream, av.VideoStream)
    stream.width, stream.height, stream.pix_fmt = 96, 64, "yuv420p"
    stream.options = {
        "preset": "ultrafast",
        "crf": "20",
        "bf": "0",
        "x264-params": "repeat-headers=1:annexb=1:slices=2",
    }
    noise = np.random.default_rng(7)
    packets: list[Any] = []
    for number in range(n_frames):
        plane = (noise.integers(0, 60, (96, 96)) + 3 * number).astype(np.uint8)
        frame = av.VideoFrame.from_ndarray(plane, format="yuv420p")
        frame.pts, frame.time_base = number, Fraction(1, 30)
        packets += stream.encode(frame)
    packets += stream.encode(None)
    return [(packet.pts * 3000, bytes(packet)) for packet in packets]


@cache
def sounds(codec: str, n_frames: int = 40) -> list[tuple[int, bytes]]:
    """(time, frame) of noise; AAC in ADTS frames."""
    stream = av.open(io.BytesIO(), "w", format="mp4").add_stream(codec, rate=48000, layout="stereo")
    assert isinstance(stream, av.AudioStream)
    stream.codec_context.open()
    size = stream.codec_context.frame_size
    noise = np.random.default_rng(8)
    packets: list[Any] = []
    for number in range(n_frames):
        samples = noise.uniform(-0.3, 0.3, (2, size)).astype(np.float32)
        frame = av.AudioFrame.from_ndarray(samples, format="fltp", layout="stereo")
        frame.sample_rate, frame.pts = 48000, number * size
        packets += stream.encode(frame)
    packets += stream.encode(None)
    wrap: Callable[[bytes], bytes] = adts if codec == "aac" else bytes
    return [(max(0, packet.pts) * 90000 // 48000, wrap(bytes(packet))) for packet in packets]


@cache
def transport_stream(codec: str) -> Pair:
    """One stream in MPEG-TS, clear and encrypted."""
    units = pictures() if codec == "h264" else sounds(codec)
    encrypt = {"h264": encrypt_picture, "aac": encrypt_adts}.get(codec, encrypt_dolby)
    clear = _mux(codec, units)
    encrypted = _mux(codec, [(time, encrypt(data)) for time, data in units])
    return Pair(clear, _retype(encrypted, codec))


@cache
def packed_audio(codec: str) -> Pair:
    """ID3 tag and frames, clear and encrypted."""
    encrypt = encrypt_adts if codec == "aac" else encrypt_dolby
    frames = [data for _, data in sounds(codec)]
    tag = b"ID3\4\0\0\0\0\0\x0bPRIV" + bytes(7)
    return Pair(tag + b"".join(frames), tag + b"".join(map(encrypt, frames)))


def _mux(codec: str, units: list[tuple[int, bytes]]) -> bytes:
    file = io.BytesIO()
    with av.open(file, "w", format="mpegts") as container:
        if codec == "h264":
            stream: Any = container.add_stream("libx264", rate=30)
            stream.width, stream.height = 96, 64
        else:
            stream = container.add_stream(codec, rate=48000, layout="stereo")
        for time, data in units:
            packet = av.Packet(data)
            packet.stream, packet.time_base = stream, Fraction(1, 90000)
            packet.pts = packet.dts = time
            container.mux(packet)
    return file.getvalue()


def _retype(data: bytes, codec: str) -> bytes:
    """With the stream type of encrypted streams in every program map."""
    out = bytearray(data)
    for at in range(0, len(out), 188):
        payload = at + 4 + (out[at + 4] + 1 if out[at + 3] & 0x20 else 0)
        start = payload + 1 + out[payload]
        if not out[at + 1] & 0x40 or bytes(out[payload : payload + 3]) == b"\0\0\1" or out[start] != 2:
            continue
        end = start + 3 + ((out[start + 1] & 15) << 8 | out[start + 2])
        stream = start + 12 + ((out[start + 10] & 15) << 8 | out[start + 11])
        assert out[stream] == CLEAR_TYPES[codec], hex(out[stream])
        out[stream] = ENCRYPTED_TYPES[codec]
        out[end - 4 : end] = crc(bytes(out[start : end - 4])).to_bytes(4, "big")
    return bytes(out)


def crc(data: bytes) -> int:
    """CRC-32/MPEG-2, bit by bit."""
    value = 0xFFFFFFFF
    for bit in (byte >> shift & 1 for byte in data for shift in range(7, -1, -1)):
        value = (value << 1 & 0xFFFFFFFF) ^ (0x04C11DB7 if (value >> 31) ^ bit else 0)
    return value
