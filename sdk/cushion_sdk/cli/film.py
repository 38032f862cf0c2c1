"""`cushion film`: makes the reference film."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from cushion_player.media.film import FilmSpec


def film(
    out: Annotated[Path, typer.Argument(metavar="OUT.mp4", help="Where to write it.")],
    seconds: Annotated[float, typer.Option(min=0.1, max=86_400.0, help="How long.")] = 60.0,
    size: Annotated[str, typer.Option(metavar="WxH", help="Pixels.")] = "1280x720",
    fps: Annotated[str, typer.Option(help="Frames a second: 30, or a fraction such as 30000/1001.")] = "30",
) -> None:
    """Make the reference film: motion, timecode for people and machines, a flash and a beep every second."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    from cushion_player.errors import UsageError
    from cushion_player.media.film import write_film

    spec = _spec(seconds, size, fps)
    console = Console(stderr=True)
    columns = (
        TextColumn("film"),
        BarColumn(),
        TextColumn("{task.completed}/{task.total} frames"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("film", total=None)
        try:
            write_film(out, spec, lambda done, total: progress.update(task, completed=done, total=total))
        except OSError as exc:
            raise UsageError(f"the film cannot be written to {out}: {exc.strerror or exc}") from exc
    typer.echo(f"{out}: {seconds:g} s, {spec.width_px}x{spec.height_px}, {spec.frame_rate} frames a second")


def _spec(seconds: float, size: str, fps: str) -> FilmSpec:
    from cushion_player.errors import UsageError
    from cushion_player.media.film import FilmSpec

    width, _, height = size.lower().partition("x")
    try:
        return FilmSpec(int(width), int(height), Fraction(fps), seconds)
    except (ValueError, ZeroDivisionError) as exc:
        raise UsageError(f"--seconds {seconds:g} --size {size} --fps {fps}: {exc}") from exc
