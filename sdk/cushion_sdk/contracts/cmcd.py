"""CMCD version 2, event mode: the records of our telemetry, and nothing of our own beside two custom keys.

Source: CTA-5004-B (Common Media Client Data), sections reserved keys, event mode and body definition; key names,
types, rounding and order are cross-checked in tests/sdk against the validators of npm `@svta/cml-cmcd`.
Long names live in the code, two-letter keys only here. A body is one record a line, separated by LF, without a last
LF, each line a structured-field dictionary with its keys in alphabetical order.

    POST /v1/telemetry
    Content-Type: application/cmcd
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields
from enum import StrEnum
from typing import Any, NamedTuple, TypeAlias, TypeVar

from cushion_sdk.contracts.structured_fields import (
    Item,
    Member,
    StructuredFieldError,
    Token,
    parse_dictionary,
    write_dictionary,
)

CONTENT_TYPE = "application/cmcd"
VERSION = 2
PROFILE_KEY = "com.cushion-pid"
DEVICE_KEY = "com.cushion-did"

MAX_ID_CHARS = 64
"""Of a session id and of a custom value; a content id may have 128 (CTA-5004-B)."""
MAX_CONTENT_ID_CHARS = 128

E = TypeVar("E", bound=StrEnum)


class CmcdError(ValueError):
    """A record cannot be read or written. `line` counts from 1; 0 when there is no line to name."""

    def __init__(self, problem: str, *, line: int = 0) -> None:
        super().__init__(f"line {line}: {problem}" if line else problem)
        self.line = line


class CmcdEvent(StrEnum):
    """What made the client write a record (key `e`). Those that we write ourselves come first."""

    PLAY_STATE = "ps"
    BITRATE_CHANGE = "bc"
    PLAYBACK_RATE = "pr"
    ERROR = "e"
    TIME_INTERVAL = "t"
    RESPONSE_RECEIVED = "rr"
    CONTENT_ID = "c"
    BACKGROUNDED = "b"
    MUTE = "m"
    UNMUTE = "um"
    PLAYER_EXPAND = "pe"
    PLAYER_COLLAPSE = "pc"
    AD_START = "as"
    AD_END = "ae"
    AD_BREAK_START = "abs"
    AD_BREAK_END = "abe"
    SKIP = "sk"
    CUSTOM = "ce"


class CmcdState(StrEnum):
    """Where the player stands (key `sta`)."""

    STARTING = "s"
    PLAYING = "p"
    SEEKING = "k"
    REBUFFERING = "r"
    PAUSED = "a"
    WAITING = "w"
    ENDED = "e"
    FATAL_ERROR = "f"
    QUIT = "q"
    PRELOADING = "d"


class CmcdFormat(StrEnum):
    """Streaming format (key `sf`)."""

    DASH = "d"
    HLS = "h"
    SMOOTH = "s"
    OTHER = "o"


class ObjectValue(NamedTuple):
    """A number about one kind of object: `v` video, `a` audio, `av` both, "" not said."""

    value: int
    object_type: str = ""


ObjectValues: TypeAlias = tuple[ObjectValue, ...]


def video(value: int) -> ObjectValues:
    """A list of one number, about video."""
    return (ObjectValue(value, "v"),)


def value_of(values: ObjectValues, object_type: str = "v") -> int | None:
    """The number about `object_type`, else about both kinds or an unsaid one; None when there is none."""
    for wanted in (object_type, "av", ""):
        for value in values:
            if value.object_type == wanted:
                return value.value
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class CmcdRecord:
    """One event-mode record. Absent is None, False or (); nothing absent is written.

    timestamp_ms: Unix epoch. (session_id, sequence) names a record: sequence rises by one from 0 within a session.
    Others' records may lack a session id ("") or a sequence (None); ours never do.
    extra: keys we do not know, kept as they came.
    """

    event: CmcdEvent
    timestamp_ms: int
    session_id: str = ""
    sequence: int | None = None
    content_id: str = ""
    state: CmcdState | None = None
    playhead_ms: int | None = None
    buffer_ms: ObjectValues = ()
    """Written to the nearest 100 ms."""
    encoded_bitrate_kbps: ObjectValues = ()
    """Of what is currently selected."""
    playhead_bitrate_kbps: ObjectValues = ()
    """Of what is currently shown."""
    throughput_kbps: ObjectValues = ()
    """Written to the nearest 100 kbit/s."""
    is_starved: bool = False
    """The buffer ran dry since the record before."""
    starvation_count: ObjectValues = ()
    """Since the session began."""
    starvation_ms: ObjectValues = ()
    """All rebuffers together, since the session began."""
    start_delay_ms: int | None = None
    """From being told to play to playing; once a session."""
    dropped_frames: int | None = None
    """Since the session began."""
    rate: float | None = None
    error_codes: tuple[str, ...] = ()
    streaming_format: CmcdFormat | None = None
    stream_type: str = ""
    """`v` all segments exist, `l` live, `ll` low latency."""
    profile_id: str = ""
    device_id: str = ""
    extra: Mapping[str, Member] = field(default_factory=dict)


# --------------------------------------------------------------------------- how each field is written and read

Write: TypeAlias = Callable[[Any], Member]
Read: TypeAlias = Callable[[Member], Any]


def _bare(member: Member) -> object:
    if not isinstance(member, Item):
        raise CmcdError("a single value is expected, not a list")
    return member.value


def _read_int(member: Member) -> int:
    value = _bare(member)
    if isinstance(value, bool) or not isinstance(value, int):
        raise CmcdError(f"{value!r} is not an integer")
    return value


def _read_number(member: Member) -> float:
    value = _bare(member)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise CmcdError(f"{value!r} is not a number")
    return float(value)


def _read_bool(member: Member) -> bool:
    value = _bare(member)
    if not isinstance(value, bool):
        raise CmcdError(f"{value!r} is not a boolean")
    return value


def _read_text(member: Member) -> str:
    value = _bare(member)
    if not isinstance(value, str):
        raise CmcdError(f"{value!r} is not a string")
    return str(value)


def _read_enum(kind: type[E]) -> Callable[[Member], E]:
    def read(member: Member) -> E:
        text = _read_text(member)
        try:
            return kind(text)
        except ValueError as exc:
            raise CmcdError(f"{text!r} is not one of {', '.join(kind)}") from exc

    return read


def _read_values(member: Member) -> ObjectValues:
    items = (member,) if isinstance(member, Item) else member
    values: list[ObjectValue] = []
    for item in items:
        number = _read_number(Item(item.value))
        values.append(
            ObjectValue(_half_up(number, 1), next((key for key in item.params if item.params[key] is True), ""))
        )
    return tuple(values)


def _read_texts(member: Member) -> tuple[str, ...]:
    return tuple(_read_text(Item(item.value)) for item in ((member,) if isinstance(member, Item) else member))


def _write_values(to_nearest: int) -> Callable[[ObjectValues], Member]:
    def write(values: ObjectValues) -> Member:
        return tuple(
            Item(_half_up(value.value, to_nearest), {value.object_type: True} if value.object_type else {})
            for value in values
        )

    return write


def _write_text(limit: int) -> Callable[[str], Member]:
    def write(text: str) -> Member:
        if len(text) > limit:
            raise CmcdError(f"{text[:16]!r}... is longer than {limit} characters")
        return Item(text)

    return write


def _half_up(number: float, to_nearest: int) -> int:
    return int((number + to_nearest / 2) // to_nearest) * to_nearest


def _write_rate(rate: float) -> Member:
    return Item(int(rate) if rate == int(rate) else round(rate, 3))


def _write_texts(texts: tuple[str, ...]) -> Member:
    return tuple(Item(text) for text in texts)


def _write_token(token: str) -> Member:
    return Item(Token(token))


KEYS: dict[str, tuple[str, Write, Read]] = {
    "event": ("e", _write_token, _read_enum(CmcdEvent)),
    "timestamp_ms": ("ts", Item, _read_int),
    "session_id": ("sid", _write_text(MAX_ID_CHARS), _read_text),
    "sequence": ("sn", Item, _read_int),
    "content_id": ("cid", _write_text(MAX_CONTENT_ID_CHARS), _read_text),
    "state": ("sta", _write_token, _read_enum(CmcdState)),
    "playhead_ms": ("pt", Item, _read_int),
    "buffer_ms": ("bl", _write_values(100), _read_values),
    "encoded_bitrate_kbps": ("br", _write_values(1), _read_values),
    "playhead_bitrate_kbps": ("pb", _write_values(1), _read_values),
    "throughput_kbps": ("mtp", _write_values(100), _read_values),
    "is_starved": ("bs", Item, _read_bool),
    "starvation_count": ("bsa", _write_values(1), _read_values),
    "starvation_ms": ("bsda", _write_values(1), _read_values),
    "start_delay_ms": ("msd", Item, _read_int),
    "dropped_frames": ("dfa", Item, _read_int),
    "rate": ("pr", _write_rate, _read_number),
    "error_codes": ("ec", _write_texts, _read_texts),
    "streaming_format": ("sf", _write_token, _read_enum(CmcdFormat)),
    "stream_type": ("st", _write_token, _read_text),
    "profile_id": (PROFILE_KEY, _write_text(MAX_ID_CHARS), _read_text),
    "device_id": (DEVICE_KEY, _write_text(MAX_ID_CHARS), _read_text),
}
"""Field name -> (key, how it is written, how it is read)."""

_FIELD_OF = {key: name for name, (key, _, _) in KEYS.items()}
REQUIRED = {
    CmcdEvent.PLAY_STATE: "state",
    CmcdEvent.BITRATE_CHANGE: "encoded_bitrate_kbps",
    CmcdEvent.PLAYBACK_RATE: "rate",
    CmcdEvent.CONTENT_ID: "content_id",
    CmcdEvent.ERROR: "error_codes",
}
"""What an event must carry beside its time (CTA-5004-B, event)."""


def encode_event(record: CmcdRecord) -> str:
    """One line. Raises CmcdError when a value cannot be written, or the event lacks what it must carry."""
    needed = REQUIRED.get(record.event)
    if needed is not None and getattr(record, needed) in (None, (), ""):
        raise CmcdError(f"the event {record.event.value!r} must carry {KEYS[needed][0]!r}")
    members: dict[str, Member] = {**record.extra, "v": Item(VERSION)}
    for name, (key, write, _) in KEYS.items():
        value = getattr(record, name)
        if value is None or value is False or value in ((), ""):
            continue
        members[key] = write(value)
    try:
        return write_dictionary({key: members[key] for key in sorted(members)})
    except StructuredFieldError as exc:
        raise CmcdError(str(exc)) from exc


def encode_events(records: Iterable[CmcdRecord]) -> bytes:
    """A request body: one record a line. Raises CmcdError, naming the line."""
    return join_events(_numbered(records, encode_event))


def join_events(lines: Iterable[str]) -> bytes:
    """Lines of `encode_event` as a request body."""
    return "\n".join(lines).encode("ascii")


def split_events(body: bytes) -> list[str]:
    """A request body as lines, empty ones left out (others end their bodies with LF or CRLF). Raises CmcdError."""
    try:
        text = body.decode("ascii")
    except UnicodeDecodeError as exc:
        raise CmcdError(f"byte {exc.start} is not ASCII") from exc
    return [line for line in text.replace("\r\n", "\n").split("\n") if line]


def decode_event(line: str) -> CmcdRecord:
    """Read one line, ours or another client's. Raises CmcdError."""
    try:
        members = parse_dictionary(line)
    except StructuredFieldError as exc:
        raise CmcdError(str(exc)) from exc
    version = members.pop("v", None)
    if not isinstance(version, Item) or version.value != VERSION:
        raise CmcdError("the record is not CMCD version 2 (v=2)")
    for key in ("e", "ts"):
        if key not in members:
            raise CmcdError(f"the key {key!r} is missing")
    values: dict[str, Any] = {}
    extra: dict[str, Member] = {}
    for key, member in members.items():
        name = _FIELD_OF.get(key)
        if name is None:
            extra[key] = member
            continue
        try:
            values[name] = KEYS[name][2](member)
        except CmcdError as exc:
            raise CmcdError(f"{key}: {exc}") from exc
    return CmcdRecord(**values, extra=extra)


def decode_events(body: bytes) -> list[CmcdRecord]:
    """Read a whole body. Raises CmcdError, naming the first line that cannot be read.

    A collector that keeps the good lines of a bad body uses `split_events` and `decode_event`.
    """
    return list(_numbered(split_events(body), decode_event))


A = TypeVar("A")
B = TypeVar("B")


def _numbered(things: Iterable[A], convert: Callable[[A], B]) -> list[B]:
    converted: list[B] = []
    for line, thing in enumerate(things, start=1):
        try:
            converted.append(convert(thing))
        except CmcdError as exc:
            raise CmcdError(str(exc), line=line) from exc
    return converted


assert {each.name for each in fields(CmcdRecord)} == {*KEYS, "extra"}
