"""Finding events: in MPDs, in playlists, in segments, in transport streams; and placing them on the timeline. Pure.

A payload that cannot be understood stays as it is: the event still happens.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction

from cushion_player.boxes.emsg import EventMessage, read_event_messages
from cushion_player.errors import DecodeError
from cushion_player.model import US_PER_S, ContentKind, DateRange, Event, EventStream, Presentation, seconds_to_us
from cushion_player.model.events import MPD_VALIDITY_SCHEME
from cushion_player.timed.event import EventSource, TimedEvent
from cushion_player.timed.id3 import Id3Frame, read_id3
from cushion_player.timed.scte35 import SpliceInfo, read_splice_info

SCTE35_SCHEMES = ("urn:scte:scte35:2013:bin", "urn:scte:scte35:2014:xml+bin", "urn:scte:scte35:2013:xml")
ID3_SCHEMES = ("https://aomedia.org/emsg/id3", "https://developer.apple.com/streaming/emsg-id3", "http://www.id3.org/")
_MEDIA = (ContentKind.VIDEO, ContentKind.AUDIO)


def events_of(presentation: Presentation, origin: Fraction) -> tuple[TimedEvent, ...]:
    """Everything a manifest says will happen, by start.

    origin: where the timeline begins, in seconds of the presentation. Date ranges are placed by the program date
    times of the segments; without any they have no place, and are left out.
    """
    found = [
        _from_manifest(stream, event, seconds_to_us(period.start - origin))
        for period in presentation.periods
        for stream in period.event_streams
        for event in stream.events
        if stream.scheme != MPD_VALIDITY_SCHEME
    ]
    place = wall_clock_of(presentation, origin)
    if place is not None:
        found += [_from_date_range(item, place) for item in presentation.date_ranges if item.start is not None]
    return tuple(sorted(found, key=lambda event: event.start_us))


def events_in_segment(data: bytes, start_us: int, offset_us: int | None) -> tuple[TimedEvent, ...]:
    """The events in the emsg boxes of a segment that begins at `start_us`.

    offset_us: media time minus timeline time; without one, absolute times are taken as the timeline's.
    Broken boxes give no events: what plays must not stop for them.
    """
    if b"emsg" not in data[:65536]:
        return ()
    try:
        messages = read_event_messages(data)
    except DecodeError:
        return ()
    return tuple(
        [_from_message(each, start_us, offset_us or 0) for each in messages if each.scheme != MPD_VALIDITY_SCHEME]
    )


def event_of_id3(data: bytes, time_us: int) -> TimedEvent:
    """An ID3 tag that a transport stream carries, at its time on the timeline."""
    return TimedEvent(EventSource.ID3, "id3", "", f"{time_us}", time_us, 0, data=data, id3=_id3(data))


# --------------------------------------------------------------------------- one by one


def _from_manifest(stream: EventStream, event: Event, period_us: int) -> TimedEvent:
    start_us = period_us + seconds_to_us(event.start)
    identity = str(event.id) if event.id is not None else f"@{start_us}"
    data = event.data or b""
    return TimedEvent(
        EventSource.MANIFEST,
        stream.scheme,
        stream.value,
        identity,
        start_us,
        None if event.duration is None else seconds_to_us(event.duration),
        text=event.body,
        data=data,
        scte35=_scte35(data) if stream.scheme in SCTE35_SCHEMES else None,
    )


def _from_message(message: EventMessage, segment_us: int, offset_us: int) -> TimedEvent:
    time_us = message.time * US_PER_S // message.timescale
    start_us = segment_us + time_us if message.is_relative else time_us - offset_us
    scheme = message.scheme.lower()
    return TimedEvent(
        EventSource.SEGMENT,
        message.scheme,
        message.value,
        str(message.id),
        start_us,
        None if message.duration is None else message.duration * US_PER_S // message.timescale,
        data=message.payload,
        scte35=_scte35(message.payload) if message.scheme in SCTE35_SCHEMES else None,
        id3=_id3(message.payload) if scheme.startswith(ID3_SCHEMES) else (),
    )


def _from_date_range(item: DateRange, place: Callable[[Fraction], int]) -> TimedEvent:
    assert item.start is not None
    duration = item.duration
    if duration is None and item.end is not None:
        duration = item.end - item.start
    if duration is None:
        duration = item.planned_duration
    command = item.scte35_out or item.scte35_in or item.scte35_command or b""
    return TimedEvent(
        EventSource.DATE_RANGE,
        item.class_name,
        "out" if item.scte35_out else "in" if item.scte35_in else "",
        item.id,
        place(item.start),
        None if duration is None else seconds_to_us(duration),
        data=command,
        attributes=tuple((extra.name, extra.value) for extra in item.extra),
        scte35=_scte35(command) if command else None,
    )


def wall_clock_of(presentation: Presentation, origin: Fraction) -> Callable[[Fraction], int] | None:
    """How an instant of wall-clock time becomes a position, by the first dated segment."""
    for offset_us in _dated(presentation, origin):
        return lambda instant: seconds_to_us(instant) - offset_us
    return None


def _dated(presentation: Presentation, origin: Fraction) -> Iterator[int]:
    for period in presentation.periods:
        shift = period.start - origin
        for adaptation_set in period.adaptation_sets:
            for item in adaptation_set.representations if adaptation_set.kind in _MEDIA else ():
                first = item.segments[0] if len(item.segments) else None
                if first is not None and first.program_time_us is not None:
                    yield first.program_time_us - seconds_to_us(shift + Fraction(first.start, item.timescale))


def _scte35(data: bytes) -> SpliceInfo | None:
    try:
        return read_splice_info(data)
    except DecodeError:
        return None


def _id3(data: bytes) -> tuple[Id3Frame, ...]:
    try:
        return read_id3(data)
    except DecodeError:
        return ()
