"""The programs in docs/howto/test-against-the-origin.md run."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from cushion_player.notices import PlaybackEnded
from cushion_player.testing import faults

PAGE = Path(__file__).parents[2] / "docs" / "howto" / "test-against-the-origin.md"
TEXT = PAGE.read_text(encoding="utf-8")


def test_the_programs_of_the_page_run() -> None:
    virtual, sockets = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
    names: dict[str, Any] = {}

    exec(compile(virtual + sockets, str(PAGE), "exec"), names)

    assert names["ended"] == PlaybackEnded(60_000_000)
    assert names["stalls"] == []
    assert names["url"].endswith("/live.mpd")
    assert [request.fault for request in names["transport"].requests].count(faults.Status(503)) == 1


def test_the_page_lists_every_fault() -> None:
    table = TEXT.partition("## What can go wrong")[2].partition("## Scenarios")[0]

    assert set(re.findall(r"`([A-Z]\w+)`", table)) == {kind.__name__ for kind in faults.Fault.__args__} | {"Rule"}
