import json
from pathlib import Path

import pytest

typer_testing = pytest.importorskip(
    "typer.testing", reason="the command line (cushion-simulator[cli]) is not installed"
)

import cushion_abr.registry as registry  # noqa: E402
from cushion_simulator.cli import app  # noqa: E402

runner = typer_testing.CliRunner()

RULE = """
from typing import NamedTuple
import numpy as np
from cushion_abr.contract import Decision

LOOKAHEAD = 1

class Params(NamedTuple):
    every: float = 2.0

def init(params, ladder, seed):
    return np.zeros(1)

def observe(sample, state):
    state[0] += 1.0

def decide(ladder, sizes_bits, situation, params, state):
    return Decision(1 if state[0] % params.every == 0 else 0, 0, 100)
"""


@pytest.fixture(autouse=True)
def _own_registry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "_rules", dict(registry._rules))


def test_run_prints_the_figures_and_the_rungs() -> None:
    result = runner.invoke(app, ["run", "--rule", "fixed", "--param", "rung=1", "--seconds", "10"])

    assert result.exit_code == 0
    assert "rungs  1 1 1 1 1" in result.stdout


def test_json_carries_the_figures_and_every_segment() -> None:
    result = runner.invoke(app, ["run", "--rule", "bba2", "--trace", "step", "--json"])

    session = json.loads(result.stdout)
    assert (session["outcome"], session["rebuffer_count"], len(session["segments"])) == ("ended", 0, 30)
    assert session["segments"][0]["rung"] == 0
    assert session["rungs_used"] >= 3


def test_a_movie_file_is_played(tmp_path: Path) -> None:
    path = tmp_path / "movie.json"
    path.write_text(
        '{"segment_duration_ms": 1000, "bitrates_kbps": [80], "segment_sizes_bits": [[80000], [160000]]}',
        encoding="utf-8",
    )

    result = runner.invoke(app, ["run", "--movie", str(path), "--trace", "unshaped", "--json"])

    assert [segment["size_bytes"] for segment in json.loads(result.stdout)["segments"]] == [10_000, 20_000]


def test_a_rule_of_ones_own_runs_from_its_file(tmp_path: Path) -> None:
    path = tmp_path / "zigzag.py"
    path.write_text(RULE, encoding="utf-8")

    result = runner.invoke(app, ["run", "--rule", str(path), "--param", "every=3", "--seconds", "12", "--json"])

    session = json.loads(result.stdout)
    assert session["rule"] == "zigzag"
    assert [segment["rung"] for segment in session["segments"]] == [1, 0, 0, 1, 0, 0]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--rule", "bbr"], "no rule named 'bbr'; there are: fixed"),
        (["--rule", "gone.py"], "no rule file gone.py"),
        (["--trace", "5g"], "no trace named '5g'"),
        (["--movie", "/nowhere.json"], "cannot be read"),
        (["--seconds", "0"], "at most a day"),
        (["--param", "gp"], "NAME=NUMBER"),
        (["--param", "gp=x"], "NAME=NUMBER"),
        (["--param", "depth=1"], "has no parameter 'depth'"),
    ],
)
def test_a_mistake_is_answered_with_one_sentence(arguments: list[str], says: str) -> None:
    result = runner.invoke(app, ["run", *arguments])

    assert result.exit_code == 2
    assert says in result.stderr
    assert result.stderr.count("\n") == 1


def test_a_file_that_is_no_rule_is_told_why(tmp_path: Path) -> None:
    broken, lacking = tmp_path / "broken.py", tmp_path / "lacking.py"
    broken.write_text("1 / 0", encoding="utf-8")
    lacking.write_text("", encoding="utf-8")

    assert "does not run: ZeroDivisionError" in runner.invoke(app, ["run", "--rule", str(broken)]).stderr
    assert "no function 'init'" in runner.invoke(app, ["run", "--rule", str(lacking)]).stderr


def test_the_rule_of_the_how_to_runs_as_printed(tmp_path: Path) -> None:
    how_to = (Path(__file__).parents[2] / "docs" / "howto" / "add-an-abr-rule.md").read_text(encoding="utf-8")
    block = how_to.partition("Save this as `cautious.py`:")[2].partition("What each part is for:")[0]
    path = tmp_path / "cautious.py"
    path.write_text("\n".join(line.removeprefix("    ") for line in block.splitlines()), encoding="utf-8")

    result = runner.invoke(app, ["run", "--rule", str(path), "--param", "share=0.8", "--json"])

    assert json.loads(result.stdout)["rungs_used"] >= 3
