"""`cushion app`, `cushion demo`, and nothing heavy: every `cushion --help` loads this module."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cushion_abr import DEFAULT_RULE

_DEFAULT_DATA = Path(".cushion")

DataOption = Annotated[Path, typer.Option("--data", help="Where everything is kept: server/, device/, downloads/.")]

RendererOption = Annotated[
    str,
    typer.Option(
        envvar="CUSHION_RENDERER", help="Who draws the picture: raster (the processor), gpu, or auto, by what is there."
    ),
]


def app(
    server: Annotated[str, typer.Option(help="URL of the backend; default: the one that serves DATA.")] = "",
    data: DataOption = _DEFAULT_DATA,
    title: Annotated[str, typer.Option(help="Id or name of a title to play at once.")] = "",
    renderer: RendererOption = "auto",
    screenshot_at: Annotated[float, typer.Option(hidden=True)] = -1.0,
    screenshot: Annotated[Path | None, typer.Option(hidden=True)] = None,
) -> None:
    """Open the desktop player on the catalog of a backend."""
    from cushion_demo_app.backend_process import live_url, serve_advice
    from cushion_demo_app.display import has_display
    from cushion_player.errors import UsageError

    if not has_display():
        raise UsageError("there is no display here; `cushion play URL --headless` plays without one")
    url = server or live_url(data)
    if not url:
        raise UsageError(
            f"no backend serves {data}: start one with `cushion serve --data {data}`, or run `cushion demo`, which "
            "starts everything, or name one with --server URL"
        )
    from cushion_demo_app.app import AppPlan, run_app
    from cushion_demo_app.main_window import WindowStart
    from cushion_demo_app.screenshot import ScreenshotOrder
    from cushion_demo_app.video_sink import check_renderer

    if title:
        from cushion_demo_app.title_check import check_title_of

        check_title_of(url, title)
    advice = f"Start the backend that belongs to --server {url} again." if server else serve_advice(data.resolve())
    order = ScreenshotOrder(screenshot_at, screenshot) if screenshot is not None and screenshot_at >= 0 else None
    check_renderer(renderer)
    start = WindowStart(title_id=title, advice=advice, renderer=renderer)
    outcome = run_app(AppPlan(data / "device", url, start, screenshot=order))
    raise typer.Exit(outcome.status)


def demo(
    headless: Annotated[bool, typer.Option("--headless", help="Play without a window and print a summary.")] = False,
    seconds: Annotated[
        float | None, typer.Option(min=1, help="How long to play (headless: 30 by default); a window then closes.")
    ] = None,
    json: Annotated[str, typer.Option(help="Headless: write the session summary to this file, - is stdout.")] = "",
    data: DataOption = _DEFAULT_DATA,
    trace: Annotated[str, typer.Option(help="Link to play over: unshaped, constant, step, 3g, 4g, or a file.")] = "",
    rule: Annotated[
        str, typer.Option(help="ABR rule: bola_guarded, bola, bba2, bba0, throughput, fixed.")
    ] = DEFAULT_RULE,
    title: Annotated[str, typer.Option(help="Id or name of the title to play; headless: the film by default.")] = "",
    film_seconds: Annotated[float, typer.Option(min=2, help="Length of the reference film, when it is made.")] = 60.0,
    film_size: Annotated[str, typer.Option(metavar="WxH", help="Its size in pixels.")] = "1280x720",
    film_only: Annotated[bool, typer.Option("--film-only", help="Fetch no clips.")] = False,
) -> None:
    """Start a backend, fill its catalog, and open the player on it: everything, in one command."""
    from cushion_demo_app.demo import DemoPlan, run_demo
    from cushion_demo_app.display import has_display
    from cushion_demo_app.seed import FilmWish

    display = has_display()
    if not headless and not display:
        typer.echo("There is no display here, so this plays without a window.", err=True)
    plan = DemoPlan(
        data_dir=data.resolve(),
        headless=headless or not display,
        seconds=seconds,
        json_target=json,
        trace=trace,
        rule=rule,
        title=title,
        film=FilmWish(film_seconds, *_film_size(film_size)),
        film_only=film_only,
    )
    raise typer.Exit(run_demo(plan))


def _film_size(text: str) -> tuple[int, int]:
    from cushion_player.errors import UsageError

    width, _, height = text.lower().partition("x")
    if not (width.isdecimal() and height.isdecimal()):
        raise UsageError(f"--film-size {text}: it is written as WIDTHxHEIGHT, 1280x720")
    return int(width), int(height)
