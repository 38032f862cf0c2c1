"""A presentation as one stable, JSON-ready object: what `cushion inspect --json` prints. Schema: docs/inspect.md."""

from __future__ import annotations

from fractions import Fraction

from cushion_player.model import AdaptationSet, Address, Presentation, Representation


def inspect(presentation: Presentation, *, segments: bool = False) -> dict[str, object]:
    """Describe a presentation in plain dicts, lists, strings and numbers. Seconds are floats rounded to µs.

    segments: also list every segment.
    """
    return {
        "kind": presentation.kind,
        "url": presentation.url,
        "is_live": presentation.is_live,
        "duration_s": None if presentation.duration is None else _seconds(presentation.duration),
        "periods": [
            {
                "id": period.id,
                "start_s": _seconds(period.start),
                "duration_s": None if period.duration is None else _seconds(period.duration),
                "adaptation_sets": [_describe_set(item, segments) for item in period.adaptation_sets],
            }
            for period in presentation.periods
        ],
        "repairs": [{"what": item.what, "where": item.where, "why": item.why} for item in presentation.repairs],
    }


def _describe_set(adaptation_set: AdaptationSet, segments: bool) -> dict[str, object]:
    protection = dict.fromkeys(scheme for item in adaptation_set.representations for scheme in item.protection)
    return {
        "id": adaptation_set.id,
        "kind": adaptation_set.kind.value,
        "language": adaptation_set.language,
        "roles": list(adaptation_set.roles),
        "label": adaptation_set.label,
        "is_muxed": adaptation_set.is_muxed,
        "protection": list(protection),
        "representations": [_describe(item, segments) for item in adaptation_set.representations],
    }


def _describe(representation: Representation, segments: bool) -> dict[str, object]:
    described: dict[str, object] = {
        "id": representation.id,
        "bitrate_bps": representation.bitrate_bps,
        "declared_bitrate_bps": representation.declared_bitrate_bps,
        "peak_bitrate_bps": representation.peak_bitrate_bps,
        "width": representation.width_px,
        "height": representation.height_px,
        "frame_rate": str(representation.frame_rate) if representation.frame_rate is not None else None,
        "codecs": representation.codecs,
        "container": representation.container.value,
        "segment_count": len(representation.segments),
        "sizes_known": representation.sizes_known,
        "init": _describe_address(representation.init.address) if representation.init is not None else None,
    }
    if segments:
        timescale = representation.timescale
        described["segments"] = [
            {
                "number": segment.number,
                "start_s": _ticks(segment.start, timescale),
                "duration_s": _ticks(segment.duration, timescale),
                "discontinuity": segment.discontinuity,
                "is_gap": segment.is_gap,
                **_describe_address(segment.address),
            }
            for segment in representation.segments
        ]
    return described


def _describe_address(address: Address) -> dict[str, object]:
    return {"url": address.url, "byte_range": list(address.byte_range) if address.byte_range is not None else None}


def _ticks(ticks: int, timescale: int) -> float:
    return round(ticks / timescale, 6)


def _seconds(value: Fraction) -> float:
    return round(float(value), 6)
