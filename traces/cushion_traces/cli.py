"""`cushion traces`: look into a trace, convert it, make one up."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from cushion_traces.trace import Trace

app = typer.Typer(help="Look into network traces, convert them, make them up.", no_args_is_help=True)

_FormatOption = Annotated[str, typer.Option("--format", help="sabre, pensieve or csv.")]


@app.command()
def info(
    trace: Annotated[str, typer.Argument(help="A file, or constant, step, 3g, 4g.")],
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """What a trace amounts to: length, mean and percentiles of its capacity, latency."""
    with _plain_errors():
        figures = _figures(_load(trace))
    if as_json:
        import json

        typer.echo(json.dumps(figures))
        return
    for name, value in figures.items():
        typer.echo(f"{name:16}{value:>14,}")


@app.command()
def convert(
    trace: Annotated[str, typer.Argument(help="A file, or constant, step, 3g, 4g.")],
    output: Annotated[Path, typer.Argument(help="The file to write.")],
    format_name: _FormatOption = "csv",
) -> None:
    """Write a trace in another format."""
    with _plain_errors():
        from cushion_traces.files import write_trace

        write_trace(_load(trace), output, format_name)


@app.command()
def generate(
    kind: Annotated[str, typer.Argument(help="3g or 4g.")],
    output: Annotated[Path, typer.Argument(help="The file to write.")],
    seconds: Annotated[float, typer.Option(help="How long, at least.")] = 300.0,
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same trace.")] = 1,
    format_name: _FormatOption = "csv",
) -> None:
    """Make a trace up, after the statistics of recordings."""
    with _plain_errors():
        from cushion_traces.files import write_trace
        from cushion_traces.generators import MODELS, markov
        from cushion_traces.trace import TraceError

        if kind not in MODELS:
            raise TraceError(f"nothing to generate named {kind!r}; there are: {', '.join(MODELS)}")
        write_trace(markov(MODELS[kind], seconds, seed), output, format_name)


def _load(name_or_path: str) -> Trace:
    from cushion_traces.named import trace_for
    from cushion_traces.trace import TraceError

    trace = trace_for(name_or_path)
    if trace is None:
        raise TraceError(f"{name_or_path!r} is no trace: it stands for the network as it is")
    return trace


def _figures(trace: Trace) -> dict[str, int]:
    """Percentiles are over time, not over periods."""
    by_rate = sorted(zip(trace.rates_bps, trace.durations_us, strict=True))

    def percentile(share: float) -> int:
        left_us = share * trace.duration_us
        for rate, duration in by_rate:
            left_us -= duration
            if left_us <= 0:
                return rate
        return by_rate[-1][0]

    return {
        "periods": len(trace.rates_bps),
        "duration_us": trace.duration_us,
        "mean_bps": round(trace.mean_bps),
        "min_bps": by_rate[0][0],
        "p5_bps": percentile(0.05),
        "median_bps": percentile(0.5),
        "p95_bps": percentile(0.95),
        "max_bps": by_rate[-1][0],
        "latency_us": trace.mean_latency_us,
    }


@contextmanager
def _plain_errors() -> Generator[None]:
    """One sentence and exit status 2 for what cannot be read, made or written."""
    from cushion_traces.link import LinkError
    from cushion_traces.trace import TraceError

    try:
        yield
    except (TraceError, LinkError) as error:
        typer.echo(f"cushion traces: {error}", err=True)
        raise typer.Exit(2) from error
