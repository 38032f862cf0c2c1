"""A presentation as one stable, JSON-ready object: what `cushion inspect --json` prints. Schema: docs/inspect.md."""

from __future__ import annotations

import sys
from base64 import b64encode
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Any

from cushion_player.model import (
    US_PER_S,
    AdaptationSet,
    Address,
    ContentSteering,
    DateRange,
    Event,
    InitSegment,
    Interstitial,
    Key,
    Period,
    Presentation,
    Protection,
    Representation,
    Segment,
    seconds_to_us,
    ticks_to_us,
)
from cushion_player.planning.availability import available_segments, presentation_delay, window_at

MAX_PATTERN_SEGMENTS = 1000
"""Segments without an end in sight are listed up to the newest this many."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

Json = dict[str, Any]


def inspect(presentation: Presentation, *, segments: bool = False, now: Fraction | None = None) -> Json:
    """Describe a presentation in plain dicts, lists, strings and numbers. Seconds are floats rounded to µs.

    segments: also list every segment.
    now: seconds since 1970 UTC; what of a live presentation is there then. None: nothing that depends on it is said.
    """
    return {
        "kind": presentation.kind,
        "url": presentation.url,
        "is_live": presentation.is_live,
        "duration_s": _seconds(presentation.duration),
        "latency_target_s": _seconds(presentation_delay(presentation)) if presentation.is_live else None,
        "live": _live(presentation, now),
        "steering": _steering(presentation),
        "locations": [item.url for item in presentation.locations],
        "patch_locations": [item.url for item in presentation.patch_locations],
        "utc_timings": [{"scheme": item.scheme, "value": item.value} for item in presentation.utc_timings],
        "periods": [_period(presentation, period, segments, now) for period in presentation.periods],
        "events": _events(presentation),
        "repairs": [{"what": item.what, "where": item.where, "why": item.why} for item in presentation.repairs],
    }


# --------------------------------------------------------------------------- the whole


def _live(presentation: Presentation, now: Fraction | None) -> Json | None:
    if not presentation.is_live:
        return None
    live = presentation.live
    window = window_at(presentation, now) if now is not None else None
    return {
        "availability_start": _instant(live.availability_start),
        "availability_end": _instant(live.availability_end),
        "publish_time": _instant(live.publish_time),
        "minimum_update_period_s": _seconds(live.minimum_update_period),
        "time_shift_buffer_depth_s": _seconds(live.time_shift_buffer_depth),
        "suggested_presentation_delay_s": _seconds(live.suggested_presentation_delay),
        "target_duration_s": _seconds(live.target_duration),
        "playlist_type": live.playlist_type,
        "window": None if window is None else {"start_s": _seconds(window.start), "end_s": _seconds(window.end)},
    }


def _steering(presentation: Presentation) -> Json | None:
    described = (item.steering for item in presentation.service_descriptions)
    steering: ContentSteering | None = presentation.steering or next((item for item in described if item), None)
    if steering is None:
        return None
    return {
        "server_url": steering.server_url,
        "default": list(steering.default),
        "query_before_start": steering.query_before_start,
    }


def _events(presentation: Presentation) -> list[Json]:
    """Events of all periods, date ranges and interstitials."""
    return [
        *(
            _event(event, stream.scheme, stream.value, period)
            for period in presentation.periods
            for stream in period.event_streams
            for event in stream.events
        ),
        *map(_date_range, presentation.date_ranges),
        *(_interstitial(item, Fraction(0)) for item in presentation.interstitials),
        *(_interstitial(item, period.start) for period in presentation.periods for item in period.interstitials),
    ]


def _date_range(item: DateRange) -> Json:
    return {
        "kind": "date-range",
        "id": item.id,
        "class": item.class_name,
        "start": _instant(item.start),
        "end": _instant(item.end),
        "duration_s": _seconds(item.duration),
        "planned_duration_s": _seconds(item.planned_duration),
        "scte35_command": _base64(item.scte35_command),
        "scte35_out": _base64(item.scte35_out),
        "scte35_in": _base64(item.scte35_in),
        "attributes": {extra.name: extra.value for extra in item.extra},
    }


def _interstitial(item: Interstitial, period_start: Fraction) -> Json:
    return {
        "kind": "interstitial",
        "id": item.id,
        "start": _instant(item.start) if item.is_absolute else None,
        "start_s": None if item.is_absolute else _seconds(period_start + item.start),
        "duration_s": _seconds(item.duration),
        "asset_url": item.asset_url,
        "asset_list_url": item.asset_list_url,
        "resume_offset_s": _seconds(item.resume_offset),
        "playout_limit_s": _seconds(item.playout_limit),
        "snap": list(item.snap),
        "restrict": list(item.restrict),
    }


def _event(event: Event, scheme: str, value: str, period: Period) -> Json:
    return {
        "kind": "event",
        "scheme": scheme,
        "value": value,
        "period": period.id,
        "id": event.id,
        "start_s": _seconds(period.start + event.start),
        "duration_s": _seconds(event.duration),
        "body": event.body,
        "data": _base64(event.data),
    }


# --------------------------------------------------------------------------- periods, sets, representations


def _period(presentation: Presentation, period: Period, segments: bool, now: Fraction | None) -> Json:
    return {
        "id": period.id,
        "start_s": _seconds(period.start),
        "duration_s": _seconds(period.duration),
        "adaptation_sets": [_set(presentation, period, item, segments, now) for item in period.adaptation_sets],
    }


def _set(
    presentation: Presentation, period: Period, adaptation_set: AdaptationSet, segments: bool, now: Fraction | None
) -> Json:
    representations = adaptation_set.representations
    return {
        "id": adaptation_set.id,
        "kind": adaptation_set.kind.value,
        "language": adaptation_set.language,
        "roles": list(adaptation_set.roles),
        "label": adaptation_set.label,
        "accessibility": [{"scheme": item.scheme, "value": item.value} for item in adaptation_set.accessibility],
        "is_muxed": adaptation_set.is_muxed,
        "excluded": adaptation_set.excluded,
        "protection": _distinct(scheme for item in representations for scheme in item.protection),
        "protections": [_protection(item) for item in dict.fromkeys(p for r in representations for p in r.protections)],
        "representations": [_representation(presentation, period, item, segments, now) for item in representations],
    }


def _protection(protection: Protection) -> Json:
    return {
        "scheme": protection.scheme,
        "value": protection.value,
        "key_ids": list(protection.key_ids),
        "pssh": [_base64(box) for box in protection.pssh],
        "licence_urls": list(protection.licence_urls),
        "key_format": protection.key_format,
        "uri": protection.uri,
    }


def _representation(
    presentation: Presentation, period: Period, representation: Representation, segments: bool, now: Fraction | None
) -> Json:
    first, stop = _listed(presentation, period, representation, now)
    described: Json = {
        "id": representation.id,
        "bitrate_bps": representation.bitrate_bps,
        "declared_bitrate_bps": representation.declared_bitrate_bps,
        "peak_bitrate_bps": representation.peak_bitrate_bps,
        "width": representation.width_px,
        "height": representation.height_px,
        "frame_rate": str(representation.frame_rate) if representation.frame_rate is not None else None,
        "codecs": representation.codecs,
        "container": representation.container.value,
        "excluded": representation.excluded,
        "segment_count": stop - first,
        "sizes_known": representation.sizes_known,
        "init": _init(representation.init),
    }
    if segments:
        pattern = representation.pattern
        listed: Iterable[Segment] = representation.segments
        if pattern is not None:
            listed = pattern.segments(max(first, stop - MAX_PATTERN_SEGMENTS), stop - 1)
        described["segments"] = [_segment(item, representation.timescale) for item in listed]
    return described


def _listed(
    presentation: Presentation, period: Period, representation: Representation, now: Fraction | None
) -> tuple[int, int]:
    """Which segments count: all that are listed; of a pattern those that are there now."""
    if representation.pattern is None:
        return 0, len(representation.segments)
    if now is None or not presentation.is_live:
        return 0, representation.pattern.limit or 0
    return available_segments(presentation, period, representation, now)


def _segment(segment: Segment, timescale: int) -> Json:
    described: Json = {
        "number": segment.number,
        "start_s": _ticks(segment.start, timescale),
        "duration_s": _ticks(segment.duration, timescale),
        "discontinuity": segment.discontinuity,
        "is_gap": segment.is_gap,
        **_address(segment.address),
    }
    if segment.program_time_us is not None:
        described["program_time"] = _instant(Fraction(segment.program_time_us, US_PER_S))
    if segment.keys:
        described["keys"] = [_key(key) for key in segment.keys]
    if segment.init is not None:
        described["init"] = _init(segment.init)
    if segment.chunks:
        described["chunks"] = [
            {
                "start_s": _ticks(chunk.start, timescale),
                "duration_s": _ticks(chunk.duration, timescale),
                "is_independent": chunk.is_independent,
                "is_gap": chunk.is_gap,
                **_address(chunk.address),
            }
            for chunk in segment.chunks
        ]
    return described


def _key(key: Key) -> Json:
    return {
        "method": key.method,
        "uri": key.uri,
        "iv": key.iv.hex() if key.iv is not None else None,
        "key_format": key.key_format,
    }


# --------------------------------------------------------------------------- values


def _init(init: InitSegment | None) -> Json | None:
    return None if init is None else _address(init.address)


def _address(address: Address) -> Json:
    return {"url": address.url, "byte_range": list(address.byte_range) if address.byte_range is not None else None}


def _distinct(items: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(items))


def _seconds(value: Fraction | None) -> float | None:
    return None if value is None else _ticks(value.numerator, value.denominator)


def _ticks(ticks: int, timescale: int) -> float:
    """Seconds rounded to µs; what no float holds, as manifests of mischief say, becomes the largest."""
    try:
        return ticks_to_us(ticks, timescale) / US_PER_S
    except OverflowError:
        return sys.float_info.max if ticks > 0 else -sys.float_info.max


def _instant(value: Fraction | None) -> str | None:
    """ISO 8601 in UTC; as seconds since 1970 where it is no date of ours."""
    if value is None:
        return None
    try:
        return (_EPOCH + timedelta(microseconds=seconds_to_us(value))).isoformat().replace("+00:00", "Z")
    except OverflowError:
        return str(value)


def _base64(data: bytes | None) -> str | None:
    return None if data is None else b64encode(data).decode("ascii")
