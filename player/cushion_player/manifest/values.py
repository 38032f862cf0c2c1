"""Attribute values as manifests write them: durations, rates, byte ranges, codec lists. Exact, never floats."""

from __future__ import annotations

import re
from fractions import Fraction

from cushion_player.model import ByteRange, Container

_DURATION = re.compile(
    r"([-+])?P(?:(\d+)Y)?(?:(\d+)M)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d*)?|\.\d+)S)?)?"
)
_DECIMAL = re.compile(r"\d{1,30}(?:\.\d{0,30})?|\.\d{1,30}")
_RATE = re.compile(r"(\d{1,9})(?:[/:](\d{1,9}))?")
_RANGE = re.compile(r"(\d{1,18})-(\d{1,18})?")
_MAX_DIGITS = 60
_NTSC = {
    Fraction(rate, 1000): Fraction(whole * 1000, 1001)
    for rate, whole in ((23976, 24), (29970, 30), (47952, 48), (59940, 60), (119880, 120))
}

VIDEO_CODECS = ("avc", "hvc", "hev", "dvh", "dva", "vp0", "vp8", "vp9", "av0", "vvc", "vvi", "mp4v")
AUDIO_CODECS = (
    "mp4a",
    "ac-3",
    "ec-3",
    "ac-4",
    "opus",
    "flac",
    "mp3",
    "dts",
    "vorbis",
    "alac",
    "iamf",
    "mha",
    "mhm",
)
TEXT_CODECS = ("wvtt", "stpp", "tx3g")


def parse_duration(text: str) -> Fraction | None:
    """Seconds of an xs:duration; None when it is none. A year counts 365 days and a month 30."""
    text = text.strip()
    found = _DURATION.fullmatch(text) if len(text) <= _MAX_DIGITS else None
    if found is None or text.endswith(("P", "T")):
        return None
    sign, years, months, days, hours, minutes, seconds = found.groups()
    whole = ((int(years or 0) * 365 + int(months or 0) * 30 + int(days or 0)) * 24 + int(hours or 0)) * 60
    total = (whole + int(minutes or 0)) * 60 + Fraction(seconds or 0)
    return -total if sign == "-" else total


def parse_decimal(text: str) -> Fraction | None:
    """A plain decimal number of at least 0; None when it is none."""
    found = _DECIMAL.fullmatch(text.strip())
    return Fraction(found.group(0)) if found else None


def parse_frame_rate(text: str) -> Fraction | None:
    """Frames a second from `30`, `30000/1001` or a decimal; the usual decimals of NTSC rates become exact."""
    text = text.strip()
    found = _RATE.fullmatch(text)
    if found:
        rate = Fraction(int(found.group(1)), int(found.group(2) or 1)) if int(found.group(2) or 1) else None
    else:
        rate = parse_decimal(text)
        if rate is not None:
            rate = _NTSC.get(Fraction(round(rate * 1000), 1000), rate)
    return rate or None


def parse_byte_range(text: str) -> ByteRange | None:
    """`first-last` or `first-` as in HTTP, DASH's form; None when it is none or runs backwards."""
    found = _RANGE.fullmatch(text.strip())
    if found is None:
        return None
    first, last = int(found.group(1)), int(found.group(2)) if found.group(2) else None
    return None if last is not None and last < first else (first, last)


def split_codecs(text: str) -> tuple[list[str], list[str], list[str]]:
    """A CODECS list as its video, audio and text parts; unknown ones are left out."""
    video: list[str] = []
    audio: list[str] = []
    texts: list[str] = []
    for item in text.split(","):
        name = item.strip()
        lower = name.lower()
        if lower.startswith(VIDEO_CODECS):
            video.append(name)
        elif lower.startswith(AUDIO_CODECS):
            audio.append(name)
        elif lower.startswith(TEXT_CODECS):
            texts.append(name)
    return video, audio, texts


def codec_family(codecs: str) -> str:
    """The family a decoder is chosen by: `avc`, `hevc`, `av1`, `aac` …; the first four letters of what is not known."""
    name = codecs.split(",")[0].strip().lower()
    for family, prefixes in _FAMILIES.items():
        if name.startswith(prefixes):
            return family
    return name[:4]


_FAMILIES = {
    "dolby-vision": ("dvh", "dva", "dav"),
    "avc": ("avc",),
    "hevc": ("hvc", "hev"),
    "av1": ("av01",),
    "vp9": ("vp09", "vp9"),
    "aac": ("mp4a.40.2", "mp4a.40.5", "mp4a.40.29", "mp4a.67"),
    "mp3": ("mp4a.40.34", "mp4a.69", "mp4a.6b", "mp3"),
}

_CONTAINERS = {
    "video/mp4": Container.MP4,
    "audio/mp4": Container.MP4,
    "application/mp4": Container.MP4,
    "video/webm": Container.WEBM,
    "audio/webm": Container.WEBM,
    "video/mp2t": Container.MPEG_TS,
    "video/vnd.cushion.packets": Container.PACKETS,
    "audio/vnd.cushion.packets": Container.PACKETS,
    "text/vtt": Container.TEXT,
    "application/ttml+xml": Container.TEXT,
}


def container_of_mime_type(mime_type: str) -> Container:
    if mime_type.lower().startswith("image/"):
        return Container.IMAGE
    return _CONTAINERS.get(mime_type.split(";")[0].strip().lower(), Container.UNKNOWN)


_SUFFIXES = {
    "ts": Container.MPEG_TS,
    "m2ts": Container.MPEG_TS,
    "aac": Container.PACKED_AUDIO,
    "mp3": Container.PACKED_AUDIO,
    "ac3": Container.PACKED_AUDIO,
    "ec3": Container.PACKED_AUDIO,
    "vtt": Container.TEXT,
    "webvtt": Container.TEXT,
    "mp4": Container.MP4,
    "m4s": Container.MP4,
    "m4v": Container.MP4,
    "m4a": Container.MP4,
    "cmfv": Container.MP4,
    "cmfa": Container.MP4,
}


def container_of_url(url: str) -> Container:
    """By the file name's suffix; UNKNOWN when it says nothing."""
    name = url.split("?", 1)[0].split("#", 1)[0].rsplit("/", 1)[-1]
    return _SUFFIXES.get(name.rsplit(".", 1)[-1].lower(), Container.UNKNOWN) if "." in name else Container.UNKNOWN
