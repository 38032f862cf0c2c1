"""`cushion play`: plays a DASH or HLS presentation, in a window or without one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cushion_abr import DEFAULT_RULE

if TYPE_CHECKING:
    from cushion_player.keys import KeyProvider
    from cushion_sdk.session_types import SessionOptions


def play(
    url: Annotated[str, typer.Argument(help="URL or file of an MPD, an HLS playlist or a media file.")],
    also: Annotated[
        list[str] | None, typer.Option(help="Another address of the same manifest, for when the first fails.")
    ] = None,
    headless: Annotated[bool, typer.Option("--headless", help="Decode and pace, but show nothing.")] = False,
    rule: Annotated[
        str, typer.Option(help="ABR rule: bola_guarded, bola, bba2, bba0, throughput, fixed.")
    ] = DEFAULT_RULE,
    trace: Annotated[
        str, typer.Option(help="Link to play over: unshaped, constant, step, 3g, 4g, or a trace file.")
    ] = "unshaped",
    seconds: Annotated[
        float | None, typer.Option(min=0.1, help="Stop after so many seconds of media; default: at the end.")
    ] = None,
    start: Annotated[
        float | None, typer.Option(min=0.0, help="Start at this second; default: where you stopped.")
    ] = None,
    journal: Annotated[Path | None, typer.Option(help="Write every decision to this file, for cushion replay.")] = None,
    json: Annotated[
        str | None, typer.Option("--json", metavar="FILE|-", help="Write the session summary there; - is stdout.")
    ] = None,
    data: Annotated[Path | None, typer.Option(help="Data directory; device data lie in device/ inside it.")] = None,
    server: Annotated[str, typer.Option(help="URL of a backend: telemetry and positions go there.")] = "",
    audio_language: Annotated[str | None, typer.Option(help="Language of the sound, as in en or pt-BR.")] = None,
    subtitle_language: Annotated[str | None, typer.Option(help="Language of subtitles to show.")] = None,
    keys: Annotated[
        Path | None, typer.Option(help="ClearKey licence (JSON Web Key set) with the keys of an encrypted title.")
    ] = None,
    subtitles: Annotated[
        Path | None, typer.Option(help="Show the subtitles of this file: SubRip, WebVTT or TTML.")
    ] = None,
    subtitle_offset: Annotated[float, typer.Option(help="Show that file's subtitles so many seconds later.")] = 0.0,
    captions: Annotated[str, typer.Option(help="Show captions in the picture: CC1 to CC4, SERVICE1 to 6.")] = "",
    thumbnails: Annotated[
        str, typer.Option(help="URL or file of a WebVTT list of small pictures for the seek bar.")
    ] = "",
    volume: Annotated[float, typer.Option(min=0.0, max=1.0, help="0 silent to 1 full.")] = 1.0,
    hardware: Annotated[
        str, typer.Option(help="Hardware to try for decoding pictures: auto, off, or FFmpeg's devices, as in cuda.")
    ] = "auto",
    renderer: Annotated[
        str,
        typer.Option(
            envvar="CUSHION_RENDERER",
            help="Who draws the picture: raster (the processor), gpu, or auto, by what is there.",
        ),
    ] = "auto",
) -> None:
    """Play a DASH or HLS presentation.

    Exit status 0 means that it played well: to the end or the seconds asked for, with at least 90 % of the frames
    that were due shown.
    """
    import math

    from cushion_player.errors import UsageError
    from cushion_sdk.cli.running import as_url, data_directory
    from cushion_sdk.session_types import SessionOptions

    if start is not None and not math.isfinite(start):
        raise UsageError(f"--start takes seconds, got {start}")
    if not math.isfinite(subtitle_offset):
        raise UsageError(f"--subtitle-offset takes seconds, got {subtitle_offset}")
    if headless and (subtitles is not None or captions):
        raise UsageError("--subtitles and --captions need a window: --headless shows nothing")
    options = SessionOptions(
        rule=rule,
        other_urls=tuple(as_url(each) for each in also or ()),
        trace=trace,
        start_s=start,
        journal_path=journal,
        volume=volume,
        audio_language=audio_language,
        text_language=subtitle_language,
        key_provider=_keys_of(keys),
        subtitles_path=subtitles,
        subtitle_offset_s=subtitle_offset,
        captions=captions,
        hardware=hardware,
        thumbnails_url=as_url(thumbnails) if thumbnails else "",
    )
    _play(as_url(url), options, data_directory(data) / "device", server, seconds, json, headless, renderer)


def _keys_of(path: Path | None) -> KeyProvider | None:
    """The keys in a file. Raises UsageError, without a word of what is in it."""
    if path is None:
        return None
    from cushion_player.errors import KeyUnavailable, UsageError
    from cushion_player.keys import StaticKeys, read_licence

    try:
        return StaticKeys(read_licence(path.read_bytes()))
    except OSError as exc:
        raise UsageError(f"--keys {path}: {exc.strerror or exc}") from exc
    except KeyUnavailable as exc:
        raise UsageError(f"--keys {path}: {exc}") from None


def _play(
    url: str,
    options: SessionOptions,
    device_dir: Path,
    server: str,
    seconds: float | None,
    json: str | None,
    headless: bool,
    renderer: str,
) -> None:
    from cushion_sdk.cli.reports import check_target, tell_summary, write_summary

    if json is not None:
        check_target(json)
    if headless:
        from cushion_sdk.cli.reports import LiveLine
        from cushion_sdk.cli.running import run_async
        from cushion_sdk.headless import play_headless

        with LiveLine() as line:
            outcome = run_async(
                play_headless(
                    url, options, device_dir=device_dir, server=server, seconds=seconds, on_snapshot=line.show
                )
            )
        summary, problem = outcome.summary, outcome.problem
    else:
        from cushion_sdk.cli.windows import WindowRequest, find_window

        summary = find_window()(WindowRequest(url, options, device_dir, server, seconds, renderer))
        problem = summary.errors[0].message if summary.startup_s is None and summary.errors else ""
    if json is None:
        tell_summary(summary)
    else:
        write_summary(summary, json)
    if problem:
        typer.echo(f"cushion: {problem}", err=True)
        raise typer.Exit(1)
