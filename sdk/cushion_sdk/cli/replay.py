"""`cushion replay`: drives the engine with a journal, and says whether it decides the same."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def replay(
    journal: Annotated[Path, typer.Argument(help="A journal of cushion play --journal.")],
) -> None:
    """Replay a journal. Exit status 0 when every decision is the same, 1 when any differs."""
    from cushion_player.errors import UsageError
    from cushion_player.journal import replay as run

    try:
        with journal.open(encoding="utf-8") as lines:
            report = run(lines)
    except OSError as exc:
        raise UsageError(f"{journal}: {exc.strerror or exc}") from exc
    except UnicodeDecodeError as exc:
        raise UsageError(f"{journal} is not a journal: it is not text") from exc
    typer.echo(f"{report.verbs} verbs, {report.decisions} decisions")
    if report.is_equal:
        typer.echo("the same decisions")
        return
    for difference in report.differences:
        typer.echo(f"line {difference.line}, {difference.verb}:")
        typer.echo(f"  recorded: {difference.recorded}")
        typer.echo(f"  replayed: {difference.replayed}")
    typer.echo(f"{len(report.differences)} differences", err=True)
    raise typer.Exit(1)
