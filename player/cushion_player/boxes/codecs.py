"""Sample entries: which decoder, its extradata as FFmpeg's decoders want it, and the codec string of RFC 6381.

Sources: ISO/IEC 14496-12 12.1-12.2 (entries), 14496-15 (avcC, hvcC), 14496-1 (esds), the AV1, VP9, Opus and FLAC
bindings to ISOBMFF. Where FFmpeg's own extradata differs from the box body (Opus, FLAC), its form is made here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from struct import Struct, pack

from cushion_player.boxes.cursor import Box, children, printable, unpack
from cushion_player.boxes.encryption import TrackEncryption, read_protection
from cushion_player.errors import DecodeError, UnsupportedCodec

_VISUAL = Struct(">16x2H")
"""After the 8 bytes of the entry itself: width and height."""
_VISUAL_SIZE = 78
_AUDIO = Struct(">H6xHHxxxxI")
"""After the 8 bytes of the entry itself: QuickTime version, channels, sample bits, 16.16 sample rate."""
_AUDIO_SIZE = 28
_ENTRY_SIZE = 8
_ENCRYPTED = (b"encv", b"enca", b"enct", b"encs")
_TEXT_HANDLERS = ("text", "subt")
_QUICKTIME_V1_EXTRA = 16
_TWO_WORDS = Struct(">II")
_OPUS = Struct(">BBHIhB")
_AAC_RATES = (96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000, 7350)
_AAC_CHANNELS = (0, 1, 2, 3, 4, 5, 6, 8)


@dataclass(frozen=True, slots=True)
class CodecInfo:
    """What a sample entry says."""

    decoder: str
    codec_string: str
    extradata: bytes
    width_px: int = 0
    height_px: int = 0
    sample_rate_hz: int = 0
    channels: int = 0
    pixel_aspect: tuple[int, int] = (1, 1)


def read_sample_entry(view: memoryview, entry: Box, handler: str) -> CodecInfo:
    """Read one entry of stsd.

    An encrypted one is read as what it is in the clear.
    Raises UnsupportedCodec when it, or its encryption, is unknown, DecodeError when it is damaged.
    """
    if entry.kind in _ENCRYPTED:
        clear_kind, _ = read_protection(view, entry, _fields_size(view, entry, handler))
        entry = entry._replace(kind=clear_kind)
    if handler == "vide" and entry.kind in _VIDEO:
        return _read_video(view, entry)
    if handler == "soun" and entry.kind in _AUDIO_CODECS:
        return _read_audio(view, entry)
    if handler in _TEXT_HANDLERS and entry.kind in (b"wvtt", b"stpp"):
        return _read_text(view, entry)
    raise UnsupportedCodec(f"no decoder for {printable(entry.kind)!r} here")


def read_entry_encryption(view: memoryview, entry: Box, handler: str) -> TrackEncryption | None:
    """How the samples of one entry of stsd are encrypted; None when they are in the clear. Raises as above."""
    if entry.kind not in _ENCRYPTED:
        return None
    return read_protection(view, entry, _fields_size(view, entry, handler))[1]


def _fields_size(view: memoryview, entry: Box, handler: str) -> int:
    """Bytes of an entry's own fields, before the boxes in it."""
    if handler == "vide":
        return _VISUAL_SIZE
    if handler == "soun":
        version = unpack(_AUDIO, view, entry.payload + 8, entry)[0]
        is_quicktime = version == 1 and not _has_children(view, entry, _AUDIO_SIZE)
        return _AUDIO_SIZE + (_QUICKTIME_V1_EXTRA if is_quicktime else 0)
    return _ENTRY_SIZE


# --------------------------------------------------------------------------- video


def _read_video(view: memoryview, entry: Box) -> CodecInfo:
    width, height = unpack(_VISUAL, view, entry.payload + 8, entry)
    parts = children(view, entry, _VISUAL_SIZE)
    decoder, config_kind, describe = _VIDEO[entry.kind]
    config = parts.get(config_kind)
    if config is None:
        raise DecodeError(f"{entry} has no decoder configuration {config_kind.decode()!r}")
    body = bytes(view[config.payload : config.end])
    aspect = (1, 1)
    pasp = parts.get(b"pasp")
    if pasp is not None:
        horizontal, vertical = unpack(_TWO_WORDS, view, pasp.payload, pasp)
        if horizontal and vertical:
            aspect = (horizontal, vertical)
    extradata = b"" if config_kind == b"vpcC" else body
    return CodecInfo(
        decoder, describe(printable(entry.kind), body, config), extradata, width, height, pixel_aspect=aspect
    )


def _byte(body: bytes, index: int, box: Box) -> int:
    if index >= len(body):
        raise DecodeError(f"{box} is too short: no byte {index}")
    return body[index]


def _describe_avc(name: str, body: bytes, box: Box) -> str:
    return f"{name}.{_byte(body, 1, box):02x}{_byte(body, 2, box):02x}{_byte(body, 3, box):02x}"


def _describe_hevc(name: str, body: bytes, box: Box) -> str:
    """ISO/IEC 14496-15 annex E: profile space and number, compatibility bits reversed, tier and level, constraints."""
    _byte(body, 12, box)
    space = ("", "A", "B", "C")[body[1] >> 6]
    compatibility = int(f"{int.from_bytes(body[2:6], 'big'):032b}"[::-1], 2)
    tier = "H" if body[1] & 0x20 else "L"
    constraints = "".join(f".{value:x}" for value in body[6:12].rstrip(b"\0"))
    return f"{name}.{space}{body[1] & 0x1F}.{compatibility:x}.{tier}{body[12]}{constraints}"


def _describe_av1(name: str, body: bytes, box: Box) -> str:
    level_byte, flags = _byte(body, 1, box), _byte(body, 2, box)
    high_bits, twelve_bits = flags & 0x40, flags & 0x20
    depth = 12 if high_bits and twelve_bits else 10 if high_bits else 8
    return f"{name}.{level_byte >> 5}.{level_byte & 0x1F:02d}{'H' if flags & 0x80 else 'M'}.{depth:02d}"


def _describe_vp9(name: str, body: bytes, box: Box) -> str:
    """The body is a full box: 4 bytes of version and flags come first."""
    return f"{name}.{_byte(body, 4, box):02d}.{_byte(body, 5, box):02d}.{_byte(body, 6, box) >> 4:02d}"


_Describe = Callable[[str, bytes, Box], str]
_VIDEO: dict[bytes, tuple[str, bytes, _Describe]] = {
    b"avc1": ("h264", b"avcC", _describe_avc),
    b"avc3": ("h264", b"avcC", _describe_avc),
    b"hvc1": ("hevc", b"hvcC", _describe_hevc),
    b"hev1": ("hevc", b"hvcC", _describe_hevc),
    b"av01": ("libdav1d", b"av1C", _describe_av1),
    b"vp09": ("vp9", b"vpcC", _describe_vp9),
}

# --------------------------------------------------------------------------- subtitles


def _read_text(view: memoryview, entry: Box) -> CodecInfo:
    """ISO/IEC 14496-30: WebVTT (its header is the extradata) and TTML (which needs none)."""
    name = printable(entry.kind)
    if entry.kind == b"stpp":
        return CodecInfo(name, name, b"")
    config = children(view, entry, _ENTRY_SIZE).get(b"vttC")
    return CodecInfo(name, name, bytes(view[config.payload : config.end]) if config else b"")


# --------------------------------------------------------------------------- audio


def _read_audio(view: memoryview, entry: Box) -> CodecInfo:
    _, channels, _, rate = unpack(_AUDIO, view, entry.payload + 8, entry)
    sample_rate_hz = rate >> 16
    parts = children(view, entry, _fields_size(view, entry, "soun"))
    return _AUDIO_CODECS[entry.kind](view, entry, parts, sample_rate_hz, channels)


def _has_children(view: memoryview, entry: Box, skip: int) -> bool:
    """Whether boxes follow directly (ISO), or QuickTime's extra fields come first."""
    try:
        return all(printable(kind).isascii() for kind in children(view, entry, skip))
    except DecodeError:
        return False


def _config(view: memoryview, entry: Box, parts: dict[bytes, Box], kind: bytes) -> tuple[Box, bytes]:
    box = parts.get(kind)
    if box is None and b"wave" in parts:
        box = children(view, parts[b"wave"]).get(kind)
    if box is None:
        raise DecodeError(f"{entry} has no decoder configuration {kind.decode()!r}")
    return box, bytes(view[box.payload : box.end])


def _read_mp4a(view: memoryview, entry: Box, parts: dict[bytes, Box], rate: int, channels: int) -> CodecInfo:
    box, body = _config(view, entry, parts, b"esds")
    object_type, specific = _read_esds(box, body)
    if object_type in (0x69, 0x6B):
        return CodecInfo("mp3float", f"mp4a.{object_type:02x}", b"", sample_rate_hz=rate, channels=channels)
    if object_type not in (0x40, 0x66, 0x67, 0x68):
        raise UnsupportedCodec(f"no decoder for 'mp4a.{object_type:02x}' here")
    if len(specific) < 2:
        raise DecodeError(f"{box} has no AudioSpecificConfig")
    audio_type, asc_rate, asc_channels = _read_audio_specific_config(specific)
    text = f"mp4a.{object_type:02x}" + (f".{audio_type}" if object_type == 0x40 else "")
    return CodecInfo("aac", text, specific, sample_rate_hz=asc_rate or rate, channels=asc_channels or channels)


def _read_esds(box: Box, body: bytes) -> tuple[int, bytes]:
    """The object type and the decoder-specific info out of the nested descriptors."""
    object_type, specific = 0, b""
    at, end = 4, len(body)
    while at < end:
        tag = body[at]
        at += 1
        length = 0
        for _ in range(4):
            byte = _byte(body, at, box)
            at += 1
            length = length << 7 | byte & 0x7F
            if not byte & 0x80:
                break
        if tag == 0x03:
            flags = _byte(body, at + 2, box)
            at += 3
            at += 2 if flags & 0x80 else 0
            at += 1 + _byte(body, at, box) if flags & 0x40 else 0
            at += 2 if flags & 0x20 else 0
        elif tag == 0x04:
            object_type = _byte(body, at, box)
            at += 13
        elif tag == 0x05:
            if at + length > end:
                raise DecodeError(f"{box} is truncated inside its AudioSpecificConfig")
            specific = body[at : at + length]
            break
        else:
            at += length
    if not object_type:
        raise DecodeError(f"{box} has no decoder configuration")
    return object_type, specific


def _read_audio_specific_config(config: bytes) -> tuple[int, int, int]:
    """Audio object type, sample rate in Hz and channels; 0 for what the two first fields do not say."""
    bits = int.from_bytes(config[:8].ljust(8, b"\0"), "big")
    at = 64

    def take(count: int) -> int:
        nonlocal at
        at -= count
        return bits >> at & (1 << count) - 1

    audio_type = take(5)
    if audio_type == 31:
        audio_type = 32 + take(6)
    index = take(4)
    rate = take(24) if index == 15 else _AAC_RATES[index] if index < len(_AAC_RATES) else 0
    layout = take(4)
    if audio_type in (5, 29):
        index = take(4)
        rate = take(24) if index == 15 else _AAC_RATES[index] if index < len(_AAC_RATES) else rate
        layout = 2 if audio_type == 29 else layout
    return audio_type, rate, _AAC_CHANNELS[layout] if layout < len(_AAC_CHANNELS) else 0


def _read_opus(view: memoryview, entry: Box, parts: dict[bytes, Box], rate: int, channels: int) -> CodecInfo:
    """dOps is big-endian; the decoder wants the little-endian OpusHead of Ogg (RFC 7845 5.1)."""
    box, body = _config(view, entry, parts, b"dOps")
    _, channels, pre_skip, input_rate, gain, family = unpack(_OPUS, view, box.payload, box)
    head = b"OpusHead" + pack("<BBHIhB", 1, channels, pre_skip, input_rate, gain, family) + body[_OPUS.size :]
    return CodecInfo("opus", "opus", head, sample_rate_hz=48000, channels=channels)


def _read_flac(view: memoryview, entry: Box, parts: dict[bytes, Box], rate: int, channels: int) -> CodecInfo:
    """dfLa holds metadata blocks; the decoder wants the body of the first, STREAMINFO."""
    box, body = _config(view, entry, parts, b"dfLa")
    info = body[8:42]
    if len(info) < 34 or body[4] & 0x7F:
        raise DecodeError(f"{box} does not begin with a whole STREAMINFO block")
    packed = int.from_bytes(info[10:18], "big")
    return CodecInfo("flac", "flac", info, sample_rate_hz=packed >> 44, channels=(packed >> 41 & 7) + 1)


def _read_dolby(view: memoryview, entry: Box, parts: dict[bytes, Box], rate: int, channels: int) -> CodecInfo:
    """AC-3 and E-AC-3 streams describe themselves."""
    name = printable(entry.kind)
    return CodecInfo("ac3" if name == "ac-3" else "eac3", name, b"", sample_rate_hz=rate, channels=channels)


_ReadAudio = Callable[[memoryview, Box, dict[bytes, Box], int, int], CodecInfo]
_AUDIO_CODECS: dict[bytes, _ReadAudio] = {
    b"mp4a": _read_mp4a,
    b"Opus": _read_opus,
    b"fLaC": _read_flac,
    b"ac-3": _read_dolby,
    b"ec-3": _read_dolby,
}
