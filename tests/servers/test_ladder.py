from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cushion_servers.transcode.ladder import plan_ladder


@pytest.mark.parametrize(
    ("width", "height", "names"),
    [
        (1920, 1080, ["240p", "360p", "540p", "720p", "1080p"]),
        (1280, 720, ["240p", "360p", "540p", "720p"]),
        (3840, 2160, ["240p", "360p", "540p", "720p", "1080p"]),
        (640, 272, ["144p", "272p"]),
        (176, 144, ["144p"]),
        (1080, 1920, ["240p", "360p", "540p", "720p", "1080p"]),
    ],
)
def test_ladder_of_usual_sources(width: int, height: int, names: list[str]) -> None:
    assert [rung.name for rung in plan_ladder(width, height, 25.0)] == names


@given(st.integers(16, 8000), st.integers(16, 8000), st.floats(1, 60))
def test_rungs_ascend_keep_even_sizes_and_are_never_upscaled(width: int, height: int, fps: float) -> None:
    rungs = plan_ladder(width, height, fps)

    assert all(rung.width_px % 2 == 0 and rung.height_px % 2 == 0 for rung in rungs)
    assert all(rung.width_px <= width and rung.height_px <= height for rung in rungs)
    assert all(low.maxrate_bps < high.maxrate_bps for low, high in pairwise(rungs))
    assert len(rungs) >= (4 if min(width, height) >= 720 else 1)


@given(st.integers(240, 2160), st.floats(0.4, 3.0))
def test_rungs_keep_the_aspect_ratio_within_a_pixel_pair(height: int, aspect: float) -> None:
    width = round(height * aspect)

    for rung in plan_ladder(width, height, 25.0):
        assert rung.width_px / width == pytest.approx(rung.height_px / height, abs=2 / min(width, height) + 0.01)


def test_caps_of_sixteen_by_nine_are_the_table_and_rise_with_the_frame_rate() -> None:
    slow, fast = plan_ladder(1920, 1080, 30.0), plan_ladder(1920, 1080, 60.0)

    assert [rung.maxrate_bps for rung in slow[1:]] == [700_000, 1_400_000, 2_800_000, 5_000_000]
    assert slow[0].maxrate_bps == pytest.approx(300_000, rel=0.01)
    assert all(a.maxrate_bps < b.maxrate_bps for a, b in zip(slow, fast, strict=True))
