"""Following a dynamic MPD: a newer one, or a patch to the one we have, becomes the next presentation (5.4, 5.15)."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from cushion_player.errors import ManifestError, ManifestSyntaxError
from cushion_player.manifest.dash import DashState, keep_text, read_tree
from cushion_player.manifest.dash_index import carry_over
from cushion_player.manifest.dash_values import instant
from cushion_player.manifest.reading import Change, Need, NeedKind, ReadResult, Refresh
from cushion_player.manifest.xml_patch import apply_patch
from cushion_player.manifest.xml_tree import Node, parse_xml
from cushion_player.model import Presentation, Representation, segment_index_at

_ABOVE_TIMELINES = (
    "Period", "AdaptationSet", "Representation", "SegmentTemplate", "SegmentList", "SegmentTimeline"
)  # fmt: skip


def reuse_columns(old: Node, new: Node) -> None:
    """Give timelines of a new tree the columns of the old one's, where their rows go on from those."""
    before = {place: timeline for timeline, place in _timelines(old)}
    for timeline, place in _timelines(new):
        known = before.get(place)
        if known is None or known.columns is None or not known.rows or not timeline.rows:
            continue
        try:
            offset = known.rows.index(timeline.rows[0])
        except ValueError:
            continue
        shared = len(known.rows) - offset
        if known.rows[offset:] == timeline.rows[:shared]:
            columns = known.columns.spliced(0, offset, []) if offset else known.columns
            timeline.columns = columns.spliced(shared, 0, timeline.rows[shared:]) if columns is not None else None


def _timelines(root: Node) -> Iterator[tuple[Node, tuple[str, ...]]]:
    """Every SegmentTimeline with the names and ids that lead to it."""
    stack: list[tuple[Node, tuple[str, ...]]] = [(root, ())]
    while stack:
        node, place = stack.pop()
        if node.tag == "SegmentTimeline":
            yield node, place
        for index, item in enumerate(node.children):
            if item.tag in _ABOVE_TIMELINES:
                stack.append((item, (*place, item.tag, item.get("id") or str(index))))


def is_unchanged(previous: Presentation, body: str | bytes) -> bool:
    """Whether this is, byte for byte, what the presentation was read from."""
    state = previous.state
    return isinstance(state, DashState) and type(state.text) is type(body) and state.text == body


def refresh(previous: Presentation, text: str, url: str, body: str | bytes) -> Refresh:
    """The presentation after a newer MPD or an MPD patch; `body` is what the text came as.

    A patch that does not fit what we have asks for the whole MPD. One that is older than what we have is left alone.
    Raises ManifestError kinds.
    """
    state = previous.state
    assert isinstance(state, DashState), "the presentation was read from an MPD"
    root = parse_xml(text)
    if root.tag == "Patch":
        try:
            patched = _patched(previous, state, root)
        except ManifestError as exc:
            return Refresh(previous, (_whole(previous, str(exc)),))
        return _finish(previous, carry_over(read_tree(patched, previous.url, state.links), previous), body)
    if root.tag != "MPD":
        raise ManifestSyntaxError(f"the root element is {root.tag[:40]!r}, neither MPD nor Patch", location=url)
    if state.root is not None:
        reuse_columns(state.root, root)
    result = carry_over(read_tree(root, url, ()), previous)
    newer, older = result.presentation.live.publish_time, previous.live.publish_time
    if newer is not None and older is not None and newer < older and result.presentation.id == previous.id:
        return Refresh(previous)
    return _finish(previous, result, body)


def reload_url(presentation: Presentation, now: Fraction | None = None) -> str:
    """Where the next version is to be had: a patch while it lasts, else the first Location, else where it came from.

    now: seconds since 1970 UTC, to tell whether a patch location has run out; None trusts it.
    """
    published = presentation.live.publish_time
    for patch in presentation.patch_locations:
        if patch.ttl is None or now is None or published is None or now <= published + patch.ttl:
            return patch.url
    return presentation.locations[0].url if presentation.locations else presentation.url


def _whole(previous: Presentation, reason: str) -> Need:
    url = previous.locations[0].url if previous.locations else previous.url
    return Need(NeedKind.MANIFEST, url, None, f"the whole MPD, because a patch does not fit: {reason}")


def _patched(previous: Presentation, state: DashState, patch: Node) -> Node:
    wanted = patch.get("mpdId")
    if wanted != previous.id:
        raise ManifestSyntaxError(
            f"it is for the MPD {wanted[:40]!r}, not {previous.id[:40]!r}", location="Patch@mpdId"
        )
    original = instant(patch.get("originalPublishTime"))
    if original is None or original != previous.live.publish_time:
        raise ManifestSyntaxError("it is for another version of the MPD", location="Patch@originalPublishTime")
    if state.root is None:
        raise ManifestSyntaxError("the MPD has no PatchLocation", location="Patch")
    return apply_patch(state.root, patch)


def _finish(previous: Presentation, result: ReadResult, body: str | bytes) -> Refresh:
    result = keep_text(result, body)
    return Refresh(result.presentation, result.needs, changes_between(previous, result.presentation))


def changes_between(old: Presentation, new: Presentation) -> tuple[Change, ...]:
    """What came and went, by representation. O(representations × log segments)."""
    before, after = _representations(old), _representations(new)
    changes = [
        Change(*key, *_moved(before.get(key), item))
        for key, item in after.items()
    ]  # fmt: skip
    gone = [Change(*key, 0, len(item.segments)) for key, item in before.items() if key not in after]
    return tuple(change for change in (*changes, *gone) if change.added or change.removed)


def _representations(presentation: Presentation) -> dict[tuple[str, str], Representation]:
    return {
        (period.id, item.id): item
        for period in presentation.periods
        for adaptation_set in period.adaptation_sets
        for item in adaptation_set.representations
    }


def _moved(old: Representation | None, new: Representation) -> tuple[int, int]:
    """Segments added at the end, and gone from the beginning."""
    if old is None or not old.segments:
        return len(new.segments), 0
    if not new.segments:
        return 0, len(old.segments)
    if old.timescale != new.timescale:
        return len(new.segments), len(old.segments)
    added = len(new.segments) - 1 - segment_index_at(new.segments, old.segments[-1].start)
    removed = segment_index_at(old.segments, new.segments[0].start - 1) + 1
    return added, removed
