"""`cushion sim`: sessions in virtual time."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cushion_abr import DEFAULT_RULE

if TYPE_CHECKING:
    from cushion_simulator.session import SessionResult

app = typer.Typer(help="Simulate sessions: the real engine on a virtual clock.", no_args_is_help=True)


@app.callback()
def main() -> None:
    """Simulate sessions: the real engine on a virtual clock."""


@app.command()
def run(
    rule: Annotated[str, typer.Option(help="A rule's name, or a Python file with a rule.")] = DEFAULT_RULE,
    trace: Annotated[str, typer.Option(help="unshaped, constant, step, 3g, 4g, or a trace file.")] = "step",
    movie: Annotated[Path | None, typer.Option(help="A Sabre movie file; else constant bitrates.")] = None,
    seconds: Annotated[float, typer.Option(help="Length where no movie is given.")] = 60.0,
    param: Annotated[list[str] | None, typer.Option(help="A parameter of the rule: NAME=NUMBER. Repeat it.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="For rules that draw.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object, segments included.")] = False,
) -> None:
    """Play one session to its end and print what came of it."""
    result = _simulate(rule, trace, movie, seconds, param or [], seed)
    if as_json:
        import json
        from dataclasses import asdict

        typer.echo(json.dumps({**result.figures(), "segments": [asdict(segment) for segment in result.segments]}))
        return
    for name, value in result.figures().items():
        if value not in ("", None):
            typer.echo(f"{name:18}{value if isinstance(value, str) else f'{value:,.6g}':>14}")
    typer.echo("rungs  " + " ".join(str(segment.rung) for segment in result.segments))


def _simulate(rule: str, trace: str, movie: Path | None, seconds: float, param: list[str], seed: int) -> SessionResult:
    """Exit status 2 and one sentence for whatever cannot be used as given."""
    from cushion_abr.registry import RuleError
    from cushion_simulator.movie import MovieError, nominal_movie, read_movie
    from cushion_simulator.rule_files import register_rule_file
    from cushion_simulator.session import simulate
    from cushion_traces.link import LinkError
    from cushion_traces.named import link_for
    from cushion_traces.trace import TraceError

    params = _parameters(param)
    try:
        name = register_rule_file(Path(rule)) if rule.endswith(".py") else rule
        media = nominal_movie(seconds) if movie is None else read_movie(movie)
        return simulate(media, link_for(trace), name, params=params, seed=seed)
    except (RuleError, MovieError, TraceError, LinkError) as error:
        raise _refusal(str(error)) from error


def _parameters(pairs: list[str]) -> dict[str, float]:
    parameters: dict[str, float] = {}
    for pair in pairs:
        name, _, number = pair.partition("=")
        try:
            parameters[name.strip()] = float(number)
        except ValueError as error:
            raise _refusal(f"--param expects NAME=NUMBER, got {pair!r}") from error
    return parameters


def _refusal(sentence: str) -> typer.Exit:
    typer.echo(f"cushion sim: {sentence}", err=True)
    return typer.Exit(2)
