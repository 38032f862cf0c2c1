"""`cushion inspect`: what a manifest says, as our readers understand it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from rich.tree import Tree

Json = dict[str, Any]

PIPE_COLUMNS = 240
"""Where there is no terminal to fit into."""


def inspect(
    source: Annotated[str, typer.Argument(metavar="URL|FILE", help="An MPD or an HLS playlist.")],
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object (docs/inspect.md).")] = False,
    segments: Annotated[bool, typer.Option("--segments", help="List every segment, too.")] = False,
) -> None:
    """Print the parsed presentation."""
    from cushion_sdk.cli.running import as_url, run_async

    described = run_async(_describe(as_url(source), segments))
    if json:
        import json as json_module

        typer.echo(json_module.dumps(described, indent=2, ensure_ascii=False))
        return
    from rich.console import Console

    console = Console()
    Console(width=console.width if console.is_terminal else PIPE_COLUMNS).print(presentation_tree(described))


async def _describe(url: str, segments: bool) -> Json:
    from cushion_player.clock import MonotonicClock
    from cushion_player.inspection import inspect as describe
    from cushion_player.loading import load_presentation
    from cushion_player.transport.dispatch import transport_for

    transport = transport_for(url)
    try:
        return describe(await load_presentation(transport, url, MonotonicClock()), segments=segments)
    finally:
        await transport.close()


def presentation_tree(described: Json) -> Tree:
    """The object of `cushion_player.inspection` as a tree for people."""
    from rich.markup import escape
    from rich.tree import Tree

    length = "live" if described["is_live"] else _seconds(described["duration_s"])
    tree = Tree(f"[bold]{described['kind'].upper()}[/bold] {escape(described['url'])} · {length}")
    for period in described["periods"]:
        at = f"from {_seconds(period['start_s'])}, {_seconds(period['duration_s'])}"
        period_node = tree.add(f"period {escape(str(period['id'] or ''))} {at}")
        for each in period["adaptation_sets"]:
            said = (each["language"], each["label"], *each["roles"], *each["protection"])
            set_node = period_node.add(f"[bold]{each['kind']}[/bold] {escape(' '.join(word for word in said if word))}")
            for representation in each["representations"]:
                node = set_node.add(escape(_representation(representation)))
                for segment in representation.get("segments", ()):
                    node.add(escape(_segment(segment)))
    for repair in described["repairs"]:
        tree.add(f"[yellow]tolerated:[/yellow] {escape(repair['what'])} ({escape(repair['where'])})")
    return tree


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
    )
    return "  ".join(part for part in parts if part)


def _segment(segment: Json) -> str:
    first_last = segment["byte_range"]
    span = f" bytes {first_last[0]}-{'' if first_last[1] is None else first_last[1]}" if first_last else ""
    return f"{segment['number']}  {segment['start_s']:.3f} s + {segment['duration_s']:.3f} s  {segment['url']}{span}"


def _seconds(value: float | None) -> str:
    return "length not said" if value is None else f"{value:.3f} s"
