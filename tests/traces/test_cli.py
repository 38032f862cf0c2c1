import json
from pathlib import Path

import pytest

typer_testing = pytest.importorskip("typer.testing", reason="the command line (cushion-traces[cli]) is not installed")

from cushion_traces.cli import app  # noqa: E402
from cushion_traces.files import read_trace  # noqa: E402
from cushion_traces.generators import MOBILE_4G, markov  # noqa: E402

runner = typer_testing.CliRunner()


def test_info_prints_the_figures_of_a_trace() -> None:
    result = runner.invoke(app, ["info", "step", "--json"])

    assert result.exit_code == 0
    figures = json.loads(result.stdout)
    assert figures["mean_bps"] == 4_333_333
    assert (figures["p5_bps"], figures["median_bps"], figures["p95_bps"]) == (1_000_000, 6_000_000, 6_000_000)
    assert figures["duration_us"] == 30_000_000


def test_info_is_readable_without_json() -> None:
    assert "6,000,000" in runner.invoke(app, ["info", "step"]).stdout


def test_generate_writes_the_trace_of_the_seed(tmp_path: Path) -> None:
    path = tmp_path / "lte.json"

    result = runner.invoke(app, ["generate", "4g", str(path), "--seconds", "20", "--seed", "9", "--format", "sabre"])

    assert result.exit_code == 0
    assert read_trace(path) == markov(MOBILE_4G, 20, 9)


def test_convert_writes_another_format(tmp_path: Path) -> None:
    path = tmp_path / "step.txt"

    assert runner.invoke(app, ["convert", "step", str(path), "--format", "pensieve"]).exit_code == 0
    assert path.read_text(encoding="utf-8") == "0\t6\n10\t6\n20\t1\n30\t6\n"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["info", "nowhere"], "no trace named 'nowhere'"),
        (["info", "unshaped"], "no trace"),
        (["generate", "5g", "x"], "there are: 3g, 4g"),
        (["generate", "3g", "/nowhere/x"], "cannot be written"),
        (["generate", "3g", "x", "--seconds", "0"], "at most a day"),
        (["convert", "step", "x", "--format", "y"], "no trace format named 'y'"),
    ],
)
def test_a_mistake_is_answered_with_one_sentence(arguments: list[str], says: str) -> None:
    result = runner.invoke(app, arguments)

    assert result.exit_code == 2
    assert says in result.stderr
    assert result.stderr.count("\n") == 1
