"""What text costs those who have none."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

import cushion_player.text


def test_output_without_text_imports_no_reader() -> None:
    program = "import sys, json, cushion_player.media.output; print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    loaded = [name for name in json.loads(done.stdout) if name.startswith("cushion_player.text")]

    assert loaded == ["cushion_player.text", "cushion_player.text.cue"]


def test_every_public_name_is_there_on_first_use() -> None:
    for name in cushion_player.text.__all__:
        assert getattr(cushion_player.text, name) is not None
    assert set(cushion_player.text.__all__) <= set(dir(cushion_player.text))
    with pytest.raises(AttributeError, match="nonsense"):
        _ = cushion_player.text.nonsense
