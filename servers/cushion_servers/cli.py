"""`cushion serve` and `cushion ingest`. Loaded by every `cushion --help`, so nothing heavy is imported up here."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

DataOption = Annotated[Path, typer.Option("--data", help="Data directory; the backend keeps to server/ inside it.")]
_DEFAULT_DATA = Path(".cushion")
_FAILED = 2


def serve(
    data: DataOption = _DEFAULT_DATA,
    port: Annotated[
        int, typer.Option(min=0, max=65_535, help="Port on 127.0.0.1; 0 takes last time's or a free one.")
    ] = 0,
    json: Annotated[bool, typer.Option("--json", help="Announce readiness as one line of JSON.")] = False,
    until_eof: Annotated[bool, typer.Option("--until-eof", hidden=True)] = False,
) -> None:
    """Run the reference backend until Ctrl-C."""
    import logging

    from cushion_servers.config import BackendConfig
    from cushion_servers.errors import ServerError
    from cushion_servers.serve import serve as run

    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    config = BackendConfig(data_dir=data.resolve(), port=port)

    def on_ready(url: str) -> None:
        typer.echo(_ready_line(url, config.data_dir) if json else f"Cushion backend on {url} (Ctrl-C to stop)")

    if until_eof:
        _end_with_stdin()
    try:
        run(config, on_ready)
    except ServerError as exc:
        typer.echo(f"cushion serve: {exc}", err=True)
        raise typer.Exit(_FAILED) from exc


def ingest(
    file: Annotated[Path, typer.Argument(help="A video file that FFmpeg can read.")],
    title: Annotated[str, typer.Option("--title", help="Name in the catalog; default: the file's.")] = "",
    data: DataOption = _DEFAULT_DATA,
    server: Annotated[str, typer.Option(help="URL of a running backend; default: the one that serves DATA.")] = "",
    min_duration: Annotated[float, typer.Option(min=0, help="Repeat a shorter clip up to this many seconds.")] = 0.0,
    licence: Annotated[str, typer.Option(help="Licence and credit, shown with the title.")] = "",
    json: Annotated[bool, typer.Option("--json", help="Print the finished job as one line of JSON.")] = False,
) -> None:
    """Turn a file into a published title: ladder, segments, manifests."""
    from cushion_sdk.contracts import IngestRequest
    from cushion_servers.config import BackendConfig
    from cushion_servers.errors import ServerError
    from cushion_servers.ingest.command import run_ingest

    request = IngestRequest(path=str(file.resolve()), name=title, min_duration_s=min_duration, licence=licence)
    try:
        published = run_ingest(request, BackendConfig(data_dir=data.resolve()), server.rstrip("/"), as_json=json)
    except ServerError as exc:
        typer.echo(f"cushion ingest: {exc}", err=True)
        raise typer.Exit(_FAILED) from exc
    except KeyboardInterrupt:
        typer.echo("cushion ingest: interrupted; the same command goes on where it stopped.", err=True)
        raise typer.Exit(130) from None
    if not published:
        raise typer.Exit(1)


def _end_with_stdin() -> None:
    """End as by SIGTERM when standard input does: whoever holds the other end of it is gone, however it went."""
    import os
    import signal
    import threading

    def wait() -> None:
        while os.read(0, 4096):
            pass
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=wait, name="until-eof", daemon=True).start()


def _ready_line(url: str, data_dir: Path) -> str:
    import os

    import msgspec

    return msgspec.json.encode({"url": url, "pid": os.getpid(), "data": str(data_dir)}).decode()
