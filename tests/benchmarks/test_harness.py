from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from benchmarks.harness import BenchmarkError, Report, Spread, alternate, finish, ratio, run


def python(code: str) -> list[str]:
    return [sys.executable, "-I", "-c", code]


def test_cost_counts_the_cpu_of_the_process_and_of_its_children() -> None:
    burn = "import time\nwhile time.process_time() < 0.2: pass"

    alone = run(python(burn), timeout_s=30)
    with_child = run(
        python(f"import subprocess, sys; subprocess.run([sys.executable, '-I', '-c', {burn!r}])\n{burn}"), timeout_s=30
    )

    assert 0.2 <= alone.cpu_s < 0.4
    assert with_child.cpu_s >= 0.4
    assert alone.peak_rss_bytes > 1_000_000


def test_output_of_both_kinds_is_kept() -> None:
    cost = run(python("import sys; print('out'); print('err', file=sys.stderr)"), timeout_s=30)

    assert sorted(cost.output.split()) == ["err", "out"]


def test_failed_command_says_what_it_said() -> None:
    with pytest.raises(BenchmarkError, match=r"exit status 3: (?s:.*)sorry"):
        run(python("print('sorry'); raise SystemExit(3)"), timeout_s=30)


def test_endless_command_is_killed() -> None:
    with pytest.raises(BenchmarkError, match=r"not finished after 0\.2 s"):
        run(python("import time; time.sleep(60)"), timeout_s=0.2)


def test_pairs_alternate_who_goes_first() -> None:
    order: list[str] = []

    def side(name: str) -> str:
        order.append(name)
        return name

    ours, theirs = alternate(lambda: side("a"), lambda: side("b"), 3)

    assert "".join(order) == "abbaab"
    assert (ours, theirs) == (["a"] * 3, ["b"] * 3)


def test_ratio_is_taken_pair_by_pair() -> None:
    assert ratio([1, 4, 9], [1, 2, 3]) == Spread(median=2, low=1, high=3, n=3)


def test_report_is_written_for_people_and_machines(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    report = Report("how long is a piece of string?")
    report.add("string", [1.0, 2.0, 4.0], "m")
    report.judge("shorter than 3 m", True)

    assert finish([report], tmp_path / "report.json") == 0

    printed = capsys.readouterr().out
    assert "string  2.000 m (1.000 to 4.000, n=3)" in printed
    assert "met: shorter than 3 m" in printed
    written = json.loads((tmp_path / "report.json").read_text())
    assert written[0]["figures"]["string"] == {"unit": "m", "median": 2.0, "low": 1.0, "high": 4.0, "n": 3}
