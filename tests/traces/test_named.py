from pathlib import Path

import pytest

from cushion_traces.link import finish_us
from cushion_traces.named import DESCRIPTIONS, NAMES, link_for, trace_for
from cushion_traces.trace import TraceError


def test_every_name_has_a_link_but_the_unshaped() -> None:
    assert NAMES == ("unshaped", "constant", "step", "3g", "4g")
    assert [name for name in NAMES if link_for(name) is None] == ["unshaped"]
    assert set(DESCRIPTIONS) == set(NAMES)


def test_step_is_6_1_6_mbps_for_10_s_each_at_40_ms() -> None:
    link = link_for("step")

    assert link is not None
    assert link.rate_bps.tolist() == [6_000_000, 1_000_000, 6_000_000]
    assert link.edge_us.tolist() == [0, 10_000_000, 20_000_000, 30_000_000]
    assert link.latency_us == 40_000


def test_each_call_gives_a_link_of_its_own() -> None:
    one, other = link_for("3g"), link_for("3g")

    assert one is not None
    assert other is not None
    finish_us(one, 100_000_000, 1_000)
    assert one.hint[0] > 0
    assert other.hint[0] == 0
    assert one.rate_bps.tolist() == other.rate_bps.tolist()


def test_a_file_of_a_known_format_is_a_link(tmp_path: Path) -> None:
    path = tmp_path / "cooked"
    path.write_text("0 1\n2 3\n", encoding="utf-8")

    link = link_for(str(path))

    assert link is not None
    assert link.rate_bps.tolist() == [3_000_000]
    assert trace_for(str(path)) is not None


def test_an_unknown_name_is_answered_with_the_names_there_are() -> None:
    with pytest.raises(TraceError, match="no trace named '5g', nor such a file; there are: unshaped, constant"):
        link_for("5g")


def test_a_broken_file_is_named_with_the_line(tmp_path: Path) -> None:
    path = tmp_path / "bad.csv"
    path.write_text("duration_us,rate_bps,latency_us\n1,x,2\n", encoding="utf-8")

    with pytest.raises(TraceError, match=r"bad\.csv: expected three whole numbers.*line 2"):
        link_for(str(path))


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "film.mp4"
    path.write_bytes(b"\x00\x00\x00\x18ftyp\xff\xfe")

    with pytest.raises(TraceError, match=r"film\.mp4: not text \(at byte 8\)"):
        link_for(str(path))
