"""What an MPD says about the service: clocks, places to reload from, steering, service descriptions (Annex K)."""

from __future__ import annotations

from collections.abc import Iterable

from cushion_player.errors import ManifestError
from cushion_player.manifest.dash_values import decimal, flag, optional_integer, words
from cushion_player.manifest.guard import Base
from cushion_player.manifest.reading import Notes
from cushion_player.manifest.xml_tree import Node
from cushion_player.model import (
    CmcdReporting,
    ContentSteering,
    Descriptor,
    Latency,
    Location,
    OperatingRange,
    PatchLocation,
    PlaybackRate,
    ServiceDescription,
    UtcTiming,
)

_METHODS = {"http-head": "head", "http-xsdate": "xsdate", "http-iso": "iso", "direct": "direct"}
_CMCD = "urn:mpeg:dash:cta-5004:2023"


def utc_timings(root: Node, base: Base, notes: Notes) -> tuple[UtcTiming, ...]:
    """Ways to learn the time, in the order of preference the MPD has (5.8.4.11)."""
    found: list[UtcTiming] = []
    for index, element in enumerate(root.all("UTCTiming")):
        scheme, value = element.get("schemeIdUri").strip(), element.get("value").strip()
        method = _METHODS.get(scheme.removeprefix("urn:mpeg:dash:utc:").partition(":")[0], "")
        where = f"MPD/UTCTiming[{index}]"
        if not method:
            notes.repair(f"UTCTiming {scheme[:60]!r} is not used", where, "only HTTP and direct times are supported")
        elif method != "direct":
            value = " ".join(_resolved(base, value.split(), notes, where))
        found.append(UtcTiming(scheme, value, method))
    return tuple(found)


def _resolved(base: Base, references: Iterable[str], notes: Notes, where: str) -> list[str]:
    urls: list[str] = []
    for reference in references:
        try:
            urls.append(base.resolve(reference, where))
        except ManifestError as exc:
            notes.repair(f"a URL was left out: {exc}", where, "the MPD can be read without it")
    return urls


def locations(root: Node, base: Base, notes: Notes) -> tuple[Location, ...]:
    """Where the MPD is to be reloaded from."""
    return tuple([
        Location(url, element.get("serviceLocation"))
        for index, element in enumerate(root.all("Location"))
        for url in _resolved(base, element.text.split(), notes, f"MPD/Location[{index}]")
    ])  # fmt: skip


def patch_locations(root: Node, base: Base, notes: Notes) -> tuple[PatchLocation, ...]:
    """Where patches can be had (5.15)."""
    return tuple([
        PatchLocation(url, decimal(element.attrib.get("ttl")), element.get("serviceLocation"))
        for index, element in enumerate(root.all("PatchLocation"))
        for url in _resolved(base, element.text.split(), notes, f"MPD/PatchLocation[{index}]")
    ])  # fmt: skip


def steering(parent: Node, base: Base, notes: Notes, where: str) -> ContentSteering | None:
    """The content steering server (ETSI TS 103 998)."""
    element = parent.child("ContentSteering")
    if element is None:
        return None
    where = f"{where}/ContentSteering"
    urls = _resolved(base, element.text.split(), notes, where)
    if not urls:
        notes.repair("content steering was left out", where, "it names no server")
        return None
    proxy = element.get("proxyServerURL").strip()
    return ContentSteering(
        urls[0],
        words(element.get("defaultServiceLocation")),
        flag(element, "queryBeforeStart", False, notes, where),
        flag(element, "clientRequirement", True, notes, where),
        next(iter(_resolved(base, [proxy], notes, f"{where}@proxyServerURL")), "") if proxy else "",
    )


def service_descriptions(parent: Node, base: Base, notes: Notes, where: str) -> tuple[ServiceDescription, ...]:
    return tuple([
        _service_description(element, base, notes, f"{where}/ServiceDescription[{index}]")
        for index, element in enumerate(parent.all("ServiceDescription"))
    ])  # fmt: skip


def _service_description(element: Node, base: Base, notes: Notes, where: str) -> ServiceDescription:
    scopes = tuple(Descriptor(item.get("schemeIdUri"), item.get("value")) for item in element.all("Scope"))
    latency = Latency()
    found = element.child("Latency")
    if found is not None:
        target, least, most, reference = (
            optional_integer(found, name, notes, f"{where}/Latency") for name in ("target", "min", "max", "referenceId")
        )
        latency = Latency(target, least, most, reference)
    rate = element.child("PlaybackRate")
    return ServiceDescription(
        id=element.get("id"),
        scopes=scopes,
        latency=latency,
        playback_rate=PlaybackRate(decimal(rate.attrib.get("min")), decimal(rate.attrib.get("max")))
        if rate is not None
        else PlaybackRate(),
        operating_bandwidth=_ranges(element, "OperatingBandwidth", notes, where),
        operating_quality=_ranges(element, "OperatingQuality", notes, where),
        cmcd=_cmcd(element, notes, where),
        steering=steering(element, base, notes, where),
    )


def _ranges(element: Node, name: str, notes: Notes, where: str) -> tuple[OperatingRange, ...]:
    ranges: list[OperatingRange] = []
    for found in element.all(name):
        least, most, target = (
            optional_integer(found, item, notes, f"{where}/{name}") for item in ("min", "max", "target")
        )
        ranges.append(OperatingRange(found.get("mediaType", "any"), least, most, target))
    return tuple(ranges)


def _cmcd(element: Node, notes: Notes, where: str) -> CmcdReporting | None:
    """ClientDataReporting with CMCDParameters (Annex K.3.8)."""
    reporting = element.child("ClientDataReporting")
    found = reporting.child("CMCDParameters") if reporting is not None else None
    if reporting is None or found is None:
        return None
    scheme = found.get("schemeIdUri", _CMCD)
    where = f"{where}/ClientDataReporting/CMCDParameters"
    if not scheme.startswith("urn:mpeg:dash:cta-5004:"):
        notes.repair(f"client data reporting {scheme[:60]!r} was left out", where, "only CTA-5004 is known")
        return None
    return CmcdReporting(
        mode=found.get("mode", "query"),
        version=optional_integer(found, "version", notes, where) or 1,
        keys=words(found.get("keys")),
        content_id=found.get("contentID"),
        session_id=found.get("sessionID"),
        include_in=words(found.get("includeInRequests")) or ("segment",),
        service_locations=words(reporting.get("serviceLocations")),
        adaptation_sets=words(reporting.get("adaptationSets")),
    )
