"""The difference of two MPDs as an MPD patch (ISO/IEC 23009-1 5.15, RFC 5261)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from copy import deepcopy
from itertools import zip_longest
from xml.etree.ElementTree import Element, SubElement, tostring

_PATCH_NAMESPACE = "urn:mpeg:dash:schema:mpd-patch:2020"


def make_patch(old: Element, new: Element) -> bytes:
    """What turns the MPD `old` into `new`, which have the same id."""
    patch = Element(
        "Patch",
        {
            "xmlns": _PATCH_NAMESPACE,
            "mpdId": old.attrib["id"],
            "originalPublishTime": old.attrib["publishTime"],
            "publishTime": new.attrib.get("publishTime", old.attrib["publishTime"]),
        },
    )
    _compare(patch, old, new, f"/{old.tag}")
    return b'<?xml version="1.0" encoding="UTF-8"?>\n' + tostring(patch)


def _compare(patch: Element, old: Element, new: Element, path: str) -> None:
    for name in sorted({*old.attrib, *new.attrib} - {"xmlns"}):
        _compare_attribute(patch, old.get(name), new.get(name), path, name)
    if old.tag == "SegmentTimeline":
        _compare_rows(patch, list(old), list(new), path)
        return
    before, after = dict(_keyed(old)), dict(_keyed(new))
    for key in reversed([key for key in before if key not in after]):  # positions count from the front
        SubElement(patch, "remove", {"sel": f"{path}/{key}"})
    previous = ""
    for key, item in after.items():
        if key not in before:
            place = {"sel": f"{path}/{previous}", "pos": "after"} if previous else {"sel": path, "pos": "prepend"}
            SubElement(patch, "add", place).append(deepcopy(item))
        elif (before[key].text or "") != (item.text or ""):
            SubElement(patch, "replace", {"sel": f"{path}/{key}"}).append(deepcopy(item))
        else:
            _compare(patch, before[key], item, f"{path}/{key}")
        previous = key


def _compare_attribute(patch: Element, old: str | None, new: str | None, path: str, name: str) -> None:
    if old == new:
        return
    if new is None:
        SubElement(patch, "remove", {"sel": f"{path}/@{name}"})
    elif old is None:
        SubElement(patch, "add", {"sel": path, "type": f"@{name}"}).text = new
    else:
        SubElement(patch, "replace", {"sel": f"{path}/@{name}"}).text = new


def _compare_rows(patch: Element, old: list[Element], new: list[Element], path: str) -> None:
    """Rows of a timeline only leave at its beginning and come at its end."""
    first = new[0].get("t") if new else None
    gone = next((index for index, row in enumerate(old) if row.get("t") == first), len(old))
    for _ in range(gone):
        SubElement(patch, "remove", {"sel": f"{path}/S[1]"})
    kept = old[gone:]
    assert all(a is None or b is None or a.attrib == b.attrib for a, b in zip_longest(kept, new[: len(kept)]))
    if new[len(kept) :]:
        added = SubElement(patch, "add", {"sel": path})
        added.extend(deepcopy(row) for row in new[len(kept) :])


def _keyed(parent: Element) -> Iterator[tuple[str, Element]]:
    """Children by a selector that is unique among them: their id, else their position among their like."""
    seen: Counter[str] = Counter()
    for child in parent:
        seen[child.tag] += 1
        identity = child.get("id")
        yield f"{child.tag}[@id='{identity}']" if identity else f"{child.tag}[{seen[child.tag]}]", child
