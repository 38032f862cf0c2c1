import numpy as np
import pytest

from cushion_abr.contract import LadderError, make_ladder
from cushion_abr.reasons import TEXT, UTILITY, describe


@pytest.mark.parametrize(
    ("rates", "says"),
    [([], "at least one"), ([2e6, 1e6], "ascend"), ([0.0, 1e6], "positive"), ([1e6, float("nan")], "finite")],
)
def test_a_ladder_that_cannot_be_one_is_refused(rates: list[float], says: str) -> None:
    with pytest.raises(LadderError, match=says):
        make_ladder(rates)


def test_a_ladder_cannot_be_changed_afterwards() -> None:
    ladder = make_ladder([1e6, 2e6])

    assert not ladder.bitrate_bps.flags.writeable
    assert ladder.bitrate_bps.dtype == np.float64


def test_every_reason_has_a_sentence_and_foreign_ones_a_number() -> None:
    assert describe(UTILITY) == TEXT[UTILITY]
    assert describe(9_000) == "rule reason 9000"
