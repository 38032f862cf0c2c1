"""The MPD of a live site at one moment (ISO/IEC 23009-1; steering by ETSI TS 103 998)."""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from fractions import Fraction
from xml.etree.ElementTree import Element, SubElement, tostring

from cushion_player.testing.live.asset import LiveTrack
from cushion_player.testing.live.config import SECOND_US, Breaks, LiveConfig
from cushion_player.testing.live.schedule import Schedule, Span

SCTE35_XML = "urn:scte:scte35:2014:xml+bin"
SCTE35_BINARY = "urn:scte:scte35:2013:bin"
_SCTE35_NAMESPACE = "http://www.scte.org/schemas/35/2016"
_ALTERNATIVE = "urn:mpeg:dash:event:alternativeMPD:{}:2025"
_UTC_SCHEME = "urn:mpeg:dash:utc:{}:2014"
_ANNOUNCED_US = 60 * SECOND_US
"""How long before its start a break is in the MPD."""
TIME_PATHS = {"http-head": "time/head.txt", "http-xsdate": "time/xsdate.txt", "http-iso": "time/iso.txt"}


def iso_time(utc_us: int) -> str:
    """An xs:dateTime of milliseconds."""
    moment = datetime.fromtimestamp(utc_us // SECOND_US, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{utc_us % SECOND_US // 1000:03d}Z"


def span_text(seconds: float | Fraction) -> str:
    """An xs:duration."""
    return f"PT{float(seconds):.6f}".rstrip("0").rstrip(".") + "S"


class MpdWriter:
    """Writes the MPDs of one site. An edition is the moment of its last change: equal editions are equal MPDs."""

    def __init__(self, config: LiveConfig, schedule: Schedule) -> None:
        self._config = config
        self._schedule = schedule

    def edition_us(self, now_us: int) -> int:
        """When the MPD that is current at `now_us` came out, µs since 1970 UTC."""
        config, schedule = self._config, self._schedule
        elapsed_us = max(0, now_us - config.start_us)
        changes_us = [0]
        length_us = schedule.length_us()
        if length_us is not None and length_us <= elapsed_us:
            changes_us.append(length_us)
        if config.dash.addressing != "number" and (listed := schedule.available(elapsed_us)):
            changes_us.append(schedule.end_us(listed.stop - 1))
        if config.breaks is not None:
            changes_us += self._break_changes_us(config.breaks, elapsed_us)
        spans = self._spans(elapsed_us)
        changes_us += [max(0, self._appears_us(span)) for span in spans]
        if spans[0].number:
            changes_us.append(self._leaves_us(spans[0].start_s))
        return config.start_us + max(change for change in changes_us if change <= elapsed_us)

    def _break_changes_us(self, breaks: Breaks, elapsed_us: int) -> list[int]:
        """When the last break was announced, and when the last one left."""
        announced = breaks.between(0, elapsed_us + _ANNOUNCED_US + 1)
        gone = breaks.between(0, elapsed_us - (self._config.window_us or elapsed_us) + 1)
        return [
            *(max(0, breaks.time_us(announced[-1]) - _ANNOUNCED_US) for _ in announced[-1:]),
            *(breaks.time_us(gone[-1]) + (self._config.window_us or 0) for _ in gone[-1:]),
        ]

    def text(self, now_us: int) -> bytes:
        root = self.tree(self.edition_us(now_us), now_us)
        return b'<?xml version="1.0" encoding="UTF-8"?>\n' + tostring(root)

    # ------------------------------------------------------------------ periods

    def _appears_us(self, span: Span) -> int:
        return round((span.start_s - Fraction(self._config.dash.lead_s)) * SECOND_US)

    def _leaves_us(self, end_s: Fraction) -> int:
        """When nothing before `end_s` is left in the window."""
        return round(end_s * SECOND_US) + (self._config.window_us or 0)

    def _spans(self, elapsed_us: int) -> list[Span]:
        """The periods to be listed, the current one among them."""
        config, stop = self._config, self._schedule.stop
        first = self._listed(elapsed_us).start
        spans: list[Span] = []
        number = self._schedule.span_of(first).number
        while (span := self._schedule.span(number)) is not None:
            is_later = self._appears_us(span) > elapsed_us and not config.is_vod
            if spans and (is_later or (stop is not None and span.first >= stop)):
                break
            spans.append(span)
            number += 1
        return spans

    def _is_static(self, elapsed_us: int) -> bool:
        config = self._config
        return config.is_vod or (config.dash.ends_as == "static" and self._schedule.has_ended(elapsed_us))

    def _listed(self, elapsed_us: int) -> range:
        """The segments that are there; an event that has become static is there from its beginning."""
        listed = self._schedule.available(elapsed_us)
        return range(listed.stop) if self._is_static(elapsed_us) else listed

    # ------------------------------------------------------------------ the document

    def tree(self, edition_us: int, now_us: int) -> Element:
        """now_us: only for the `direct` time."""
        config, dash, schedule = self._config, self._config.dash, self._schedule
        elapsed_us = edition_us - config.start_us
        has_ended = schedule.has_ended(elapsed_us)
        is_static = self._is_static(elapsed_us)
        longest = max(
            Fraction(max(track.durations), track.timescale) for item in config.programmes for track in item.asset.tracks
        )
        root = Element(
            "MPD",
            {
                "xmlns": "urn:mpeg:dash:schema:mpd:2011",
                "id": "live",
                "profiles": "urn:mpeg:dash:profile:isoff-live:2011",
                "type": "static" if is_static else "dynamic",
                "minBufferTime": span_text(longest),
                "maxSegmentDuration": span_text(longest),
            },
        )
        length_us = schedule.length_us()
        if is_static or has_ended:
            root.set("mediaPresentationDuration", span_text(Fraction(length_us or 0, SECOND_US)))
        if not is_static:
            self._say_live(root, edition_us, has_ended=has_ended)
        for rank, pathway in enumerate(config.pathways):
            base = SubElement(root, "BaseURL", {"serviceLocation": pathway.name, "priority": str(rank + 1)})
            base.set("{urn:dvb:dash:dash-extensions:2014-1}priority", str(rank + 1))
            base.text = pathway.base_url
            del base.attrib["priority"]
        if dash.has_patch and not is_static and not has_ended:
            patch = SubElement(root, "PatchLocation", {"ttl": str(dash.patch_ttl_s)})
            patch.text = f"patch.mpp?from={edition_us}"
        self._describe_service(root)
        for span in self._spans(elapsed_us):
            self._period(root, span, elapsed_us, is_listed_whole=is_static or has_ended)
        for method in () if is_static else dash.utc_timing:
            value = iso_time(now_us) if method == "direct" else TIME_PATHS[method]
            SubElement(root, "UTCTiming", {"schemeIdUri": _UTC_SCHEME.format(method), "value": value})
        return root

    def _say_live(self, root: Element, edition_us: int, *, has_ended: bool) -> None:
        config, dash = self._config, self._config.dash
        root.set("availabilityStartTime", iso_time(config.start_us))
        root.set("publishTime", iso_time(edition_us))
        if dash.minimum_update_s is not None and not has_ended:
            root.set("minimumUpdatePeriod", span_text(dash.minimum_update_s))
        if config.window_us is not None:
            root.set("timeShiftBufferDepth", span_text(Fraction(config.window_us, SECOND_US)))
        if dash.suggested_delay_s is not None:
            root.set("suggestedPresentationDelay", span_text(dash.suggested_delay_s))

    def _describe_service(self, root: Element) -> None:
        dash, steering = self._config.dash, self._config.steering
        if dash.latency_ms or dash.rates or steering:
            service = SubElement(root, "ServiceDescription", {"id": "0"})
            if dash.latency_ms:
                target, least, most = map(str, dash.latency_ms)
                SubElement(service, "Latency", {"referenceId": "0", "target": target, "min": least, "max": most})
            if dash.rates:
                SubElement(service, "PlaybackRate", {"min": f"{dash.rates[0]:g}", "max": f"{dash.rates[1]:g}"})
        if steering:
            element = SubElement(
                root,
                "ContentSteering",
                {
                    "defaultServiceLocation": steering.at(0)[0],
                    "queryBeforeStart": "true" if steering.query_before_start else "false",
                },
            )
            element.text = steering.server_url or "steering.json"

    def _period(self, root: Element, span: Span, elapsed_us: int, *, is_listed_whole: bool) -> None:
        period = SubElement(root, "Period", {"id": f"p{span.number}", "start": span_text(span.start_s)})
        end_s = self._end_s(span, is_listed_whole)
        if end_s is not None:
            period.set("duration", span_text(end_s - span.start_s))
        if self._config.breaks is not None:
            self._events(period, span, self._config.breaks, elapsed_us, end_s)
        for number, track in enumerate(span.asset.tracks):
            self._adaptation_set(period, span, number, track, elapsed_us)

    def _end_s(self, span: Span, is_listed_whole: bool) -> Fraction | None:
        stop = self._schedule.stop
        ends = [number for number in (span.stop, stop if is_listed_whole else None) if number is not None]
        if not ends:
            return None
        track = span.asset.tracks[0]
        if span.stop is not None and min(ends) == span.stop:
            return span.start_s + Fraction(track.start(span.stop - span.first), track.timescale)
        return span.start_s + span.asset.end_s(min(ends) - 1 - span.first)

    def _adaptation_set(self, period: Element, span: Span, number: int, track: LiveTrack, elapsed_us: int) -> None:
        dash = self._config.dash
        attributes = {
            "id": str(number + 1),
            "contentType": track.kind,
            "mimeType": f"{track.kind}/mp4",
            "segmentAlignment": "true",
            "startWithSAP": "1",
        }
        if track.language:
            attributes["lang"] = track.language
        element = SubElement(period, "AdaptationSet", attributes)
        if dash.has_inband_events and number == 0:
            SubElement(element, "InbandEventStream", {"schemeIdUri": SCTE35_BINARY, "value": "1"})
        offset = time_offset(span, track)
        if dash.has_reference_time:
            reference = SubElement(
                element,
                "ProducerReferenceTime",
                {
                    "id": "0",
                    "inband": "true",
                    "type": "encoder",
                    "wallClockTime": iso_time(self._config.start_us + round(span.start_s * SECOND_US)),
                    "presentationTime": str(offset),
                },
            )
            SubElement(reference, "UTCTiming", {"schemeIdUri": _UTC_SCHEME.format("http-iso"), "value": "time/iso.txt"})
        self._template(element, span, track, elapsed_us, offset)
        for index, rung in enumerate(track.rungs):
            representation = SubElement(
                element,
                "Representation",
                {"id": f"{track.kind[0]}{index}", "bandwidth": str(rung.bitrate_bps), "codecs": rung.codecs},
            )
            if rung.height_px:
                representation.set("width", str(rung.width_px))
                representation.set("height", str(rung.height_px))

    def _template(self, parent: Element, span: Span, track: LiveTrack, elapsed_us: int, offset: int) -> None:
        addressing = self._config.dash.addressing
        name = "t$Time$" if addressing == "timeline-time" else "$Number$"
        template = SubElement(
            parent,
            "SegmentTemplate",
            {
                "timescale": str(track.timescale),
                "initialization": f"p{span.number}/$RepresentationID$/init.mp4",
                "media": f"p{span.number}/$RepresentationID$/{name}.m4s",
                "presentationTimeOffset": str(offset),
            },
        )
        if self._config.is_low_latency and track.chunk_ticks and not self._config.is_vod:
            early = Fraction(min(track.durations) - track.chunk_ticks, track.timescale)
            template.set("availabilityTimeOffset", f"{float(early):.6f}".rstrip("0"))
            template.set("availabilityTimeComplete", "false")
        if addressing == "number":
            template.set("duration", str(track.total // len(track.durations)))
            template.set("startNumber", "1")
            return
        listed = self._listed(elapsed_us)
        first = max(listed.start, span.first)
        stop = listed.stop if span.stop is None else min(listed.stop, span.stop)
        template.set("startNumber", str(first - span.first + 1))
        timeline = SubElement(template, "SegmentTimeline")
        for sequence in range(first, stop):
            index = sequence - span.first
            SubElement(timeline, "S", {"t": str(offset + track.start(index)), "d": str(track.duration(index))})

    def _events(self, period: Element, span: Span, breaks: Breaks, elapsed_us: int, end_s: Fraction | None) -> None:
        """Breaks that begin in the period and are announced and not gone."""
        from_us = max(round(span.start_s * SECOND_US), elapsed_us - (self._config.window_us or elapsed_us) + 1)
        to_us = elapsed_us + _ANNOUNCED_US + 1
        if end_s is not None:
            to_us = round(end_s * SECOND_US) if self._config.is_vod else min(to_us, round(end_s * SECOND_US))
        numbers = breaks.between(from_us, max(from_us, to_us))
        streams = [(SCTE35_XML, "")] if not self._config.dash.has_inband_events else []
        if breaks.dash_asset_url:
            streams.append((_ALTERNATIVE.format("replace" if breaks.replaces else "insert"), "alternative"))
        for scheme, what in streams if numbers else ():
            stream = SubElement(period, "EventStream", {"schemeIdUri": scheme, "timescale": "1000"})
            for number in numbers:
                start_ms = breaks.time_us(number) // 1000 - round(span.start_s * 1000)
                event = SubElement(
                    stream,
                    "Event",
                    {
                        "presentationTime": str(start_ms),
                        "duration": str(breaks.duration_us // 1000),
                        "id": str(number),
                    },
                )
                if what:
                    _alternative(event, breaks)
                else:
                    signal = SubElement(event, f"{{{_SCTE35_NAMESPACE}}}Signal")
                    binary = SubElement(signal, f"{{{_SCTE35_NAMESPACE}}}Binary")
                    binary.text = base64.b64encode(breaks.scte35).decode()


def _alternative(event: Element, breaks: Breaks) -> None:
    tag = "ReplacePresentation" if breaks.replaces else "InsertPresentation"
    element = SubElement(event, tag, {"url": breaks.dash_asset_url})
    if breaks.resume_offset_s is not None and breaks.replaces:
        element.set("returnOffset", str(round(breaks.resume_offset_s * 1000)))
    if breaks.playout_limit_s is not None:
        element.set("maxDuration", str(round(breaks.playout_limit_s * 1000)))


def time_offset(span: Span, track: LiveTrack) -> int:
    """Media time at the start of a period: the media's clock runs on through all periods."""
    return round(span.start_s * track.timescale)
