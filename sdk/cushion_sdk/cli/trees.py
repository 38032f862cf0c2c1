"""A described presentation as a tree for people."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rich.markup import escape
from rich.tree import Tree

Json = dict[str, Any]


def presentation_tree(described: Json) -> Tree:
    """The object of `cushion_player.inspection`, with what `cushion inspect` adds to it, as a tree."""
    length = "live" if described["is_live"] else _seconds(described["duration_s"])
    tree = Tree(f"[bold]{described['kind'].upper()}[/bold] {escape(described['url'])} · {length}")
    for line in _facts(described):
        tree.add(escape(line))
    for period in described["periods"]:
        at = f"from {_seconds(period['start_s'])}, {_seconds(period['duration_s'])}"
        period_node = tree.add(f"period {escape(str(period['id'] or ''))} {at}")
        for each in period["adaptation_sets"]:
            _add_set(period_node, each)
    for event in described["events"]:
        tree.add(escape(_event(event)))
    for repair in described["repairs"]:
        why = f": {repair['why']}" if repair["why"] else ""
        tree.add(f"[yellow]tolerated:[/yellow] {escape(repair['what'])} ({escape(repair['where'])}{escape(why)})")
    for part in described.get("missing", ()):
        tree.add(f"[red]missing:[/red] {escape(part['what'])} ({escape(part['reason'])})")
    return tree


def _facts(described: Json) -> Iterator[str]:
    """What is said of the whole, one line each."""
    live = described["live"]
    if live is not None:
        window = live["window"]
        if window is not None:
            yield f"playable now: {window['start_s']:.3f} s to {window['end_s']:.3f} s"
        if described["latency_target_s"]:
            yield f"target: {described['latency_target_s']:g} s behind the live edge"
        if live["minimum_update_period_s"] is not None:
            yield f"reloaded every {live['minimum_update_period_s']:g} s"
        if live["time_shift_buffer_depth_s"] is not None:
            yield f"keeps {live['time_shift_buffer_depth_s']:g} s"
    if described["steering"] is not None:
        steering = described["steering"]
        first = f", at first {' '.join(steering['default'])}" if steering["default"] else ""
        yield f"steered by {steering['server_url']}{first}"


def _add_set(node: Tree, each: Json) -> None:
    said = (each["language"], each["label"], *each["roles"], *each["protection"])
    words = escape(" ".join(word for word in said if word))
    left = f" [yellow]left alone: {escape(each['excluded'])}[/yellow]" if each["excluded"] else ""
    set_node = node.add(f"[bold]{each['kind']}[/bold] {words}{left}")
    for representation in each["representations"]:
        inner = set_node.add(escape(_representation(representation)))
        for segment in representation.get("segments", ()):
            inner.add(escape(_segment(segment)))


def _representation(each: Json) -> str:
    size = f"{each['width']}x{each['height']}" if each["height"] else ""
    rate = f"{each['frame_rate']} fps" if each["frame_rate"] else ""
    sizes = "" if each["sizes_known"] else "sizes not known"
    parts = (
        each["id"],
        f"{each['bitrate_bps'] / 1000:.0f} kb/s",
        size,
        rate,
        each["codecs"],
        each["container"],
        f"{each['segment_count']} segments",
        sizes,
        f"left alone: {each['excluded']}" if each["excluded"] else "",
    )
    return "  ".join(part for part in parts if part)


def _segment(segment: Json) -> str:
    first_last = segment["byte_range"]
    span = f" bytes {first_last[0]}-{'' if first_last[1] is None else first_last[1]}" if first_last else ""
    notes = [key["method"] for key in segment.get("keys", ())] + (["gap"] if segment["is_gap"] else [])
    tail = f"  {' '.join(notes)}" if notes else ""
    return (
        f"{segment['number']}  {segment['start_s']:.3f} s + {segment['duration_s']:.3f} s  {segment['url']}{span}{tail}"
    )


def _event(event: Json) -> str:
    start = event.get("start_s")
    at = f"at {start:.3f} s" if start is not None else f"at {event.get('start') or 'no said time'}"
    length = f" for {event['duration_s']:.3f} s" if event["duration_s"] is not None else ""
    name = event.get("scheme") or event.get("class") or event.get("asset_url") or event.get("asset_list_url") or ""
    return f"{event['kind']} {event['id'] if event['id'] is not None else ''} {name} {at}{length}"


def _seconds(value: float | None) -> str:
    return "length not said" if value is None else f"{value:.3f} s"
