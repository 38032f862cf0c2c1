"""`cushion replay`: drives the engine with a journal, and says whether it decides the same."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

_SHOWN = 3
"""After a first difference the rest tend to follow from it."""


def replay(
    journal: Annotated[Path, typer.Argument(help="A journal of cushion play --journal.")],
) -> None:
    """Replay a journal. Exit status 0 when every decision is the same, 1 when any differs."""
    from cushion_player.errors import UsageError
    from cushion_player.journal import replay as run

    try:
        with journal.open(encoding="utf-8") as lines:
            report = run(lines, max_differences=_SHOWN)
    except OSError as exc:
        raise UsageError(f"{journal}: {exc.strerror or exc}") from exc
    except UnicodeDecodeError as exc:
        raise UsageError(f"{journal} is not a journal: it is not text") from exc
    if report.unfinished_line is not None:
        typer.echo(f"line {report.unfinished_line}: the last line is unfinished, left out", err=True)
    typer.echo(f"{report.verbs} verbs, {report.decisions} decisions")
    if report.is_equal:
        typer.echo("the same decisions")
        return
    for difference in report.differences:
        typer.echo(f"line {difference.line}, {difference.verb}:")
        typer.echo(f"  recorded: {difference.recorded}")
        typer.echo(f"  replayed: {difference.replayed}")
    count = report.difference_count
    rest = f", the first {_SHOWN} are shown" if count > _SHOWN else ""
    typer.echo(f"{count} {'difference' if count == 1 else 'differences'}{rest}", err=True)
    raise typer.Exit(1)
