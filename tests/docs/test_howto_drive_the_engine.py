"""The program in docs/howto/drive-the-engine.md runs."""

from __future__ import annotations

import re
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "howto" / "drive-the-engine.md"


def test_the_loop_of_the_page_plays_to_the_end() -> None:
    (program,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    names: dict[str, object] = {}

    exec(compile(program, str(PAGE), "exec"), names)

    assert names["ended"] is True
    assert names["now"] == 20_000_000
