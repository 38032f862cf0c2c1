"""`cushion inspect`: what manifests say, as our readers understand them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from cushion_player.clock import Clock
    from cushion_player.driving.loading import LoadedParts

Json = dict[str, Any]

PIPE_COLUMNS = 240
"""Where there is no terminal to fit into."""
AT_ONCE = 8
"""Manifests in the works at a time."""
FAILED, WRONG_USAGE = 1, 2


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one input gave: the object to print, or the error in its place; and the exit status it calls for."""

    described: Json
    status: int = 0

    @property
    def is_refused(self) -> bool:
        return "error" in self.described


def inspect(
    sources: Annotated[list[str], typer.Argument(metavar="URL|FILE...", help="MPDs or HLS playlists.")],
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object a line (docs/inspect.md).")] = False,
    segments: Annotated[bool, typer.Option("--segments", help="List every segment, too.")] = False,
) -> None:
    """Print the parsed presentations.

    Exit status with --json: 0 when every input gave a model or an error with its place, 1 when one could not be
    fetched, 2 when one is no URL and no file. Without it, a refused manifest counts as 1, too.
    """
    from cushion_sdk.cli.running import run_async

    status = run_async(_inspect_all(sources, as_json=json, segments=segments))
    if status:
        raise typer.Exit(status)


async def _inspect_all(sources: Sequence[str], *, as_json: bool, segments: bool) -> int:
    """Print every source in order; returns the exit status."""
    import asyncio

    statuses = {0}
    for start in range(0, len(sources), AT_ONCE):
        batch = sources[start : start + AT_ONCE]
        for outcome in await asyncio.gather(*(_examine(source, segments) for source in batch)):
            statuses.add(_print_json(outcome) if as_json else _print_tree(outcome))
    return max(statuses)


def _print_json(outcome: Outcome) -> int:
    import json

    typer.echo(json.dumps(outcome.described, ensure_ascii=False, allow_nan=False))
    return outcome.status


def _print_tree(outcome: Outcome) -> int:
    if outcome.is_refused:
        error = outcome.described["error"]
        place = f" (at {error['location']})" if error["location"] not in ("", outcome.described["source"]) else ""
        typer.echo(f"cushion: {error['message']}{place}", err=True)
        return outcome.status or FAILED
    from rich.console import Console

    from cushion_sdk.cli.trees import presentation_tree

    console = Console()
    tree = presentation_tree(outcome.described)
    Console(width=console.width if console.is_terminal else PIPE_COLUMNS).print(tree)
    return outcome.status


async def _examine(source: str, segments: bool) -> Outcome:
    from fractions import Fraction

    from cushion_player.clock import MonotonicClock, wall_ms
    from cushion_player.errors import CushionError, FetchError, ManifestError, UsageError
    from cushion_player.inspection import inspect as describe

    try:
        loaded = await _load(source, MonotonicClock())
        described = describe(loaded.presentation, segments=segments, now=Fraction(wall_ms(), 1000))
    except ManifestError as exc:
        return _refused(source, exc, exc.location, 0)
    except FetchError as exc:
        return _refused(source, exc, exc.url, FAILED)
    except CushionError as exc:
        return _refused(source, exc, "", WRONG_USAGE if isinstance(exc, UsageError) else FAILED)
    missing = [{"what": part.need.label, "url": part.need.url, "reason": part.reason} for part in loaded.missing]
    return Outcome({"source": source, **described, "missing": missing})


async def _load(source: str, clock: Clock) -> LoadedParts:
    from cushion_player.driving.loading import load_parts
    from cushion_player.transport.dispatch import transport_for
    from cushion_sdk.cli.running import as_url

    url = as_url(source)
    transport = transport_for(url)
    try:
        return await load_parts(transport, url, clock)
    finally:
        await transport.close()


def _refused(source: str, error: Exception, location: str, status: int) -> Outcome:
    message = " ".join(str(error).split()).removesuffix(f" (at {location})")
    described = {"type": type(error).__name__, "message": message, "location": location or source}
    return Outcome({"source": source, "error": described}, status)
