from __future__ import annotations

import pytest

from cushion_player.testing.faults import Corrupt, FaultScript, Hang, Status, corrupted, slice_range


def test_a_scripted_path_gets_its_faults_in_turn_and_is_then_served_well() -> None:
    script = FaultScript()
    script.once("/a", Status(503), None, Hang())

    assert [script.take("/a") for _ in range(5)] == [Status(503), None, Hang(), None, None]
    assert script.take("/b") is None


def test_patterns_count_each_path_on_its_own() -> None:
    script = FaultScript()
    script.once("/video/*.m4s", Status(404))

    assert script.take("/video/1.m4s") == Status(404)
    assert script.take("/video/2.m4s") == Status(404)
    assert script.take("/video/1.m4s") is None


def test_the_rule_added_last_wins_and_counts_from_its_addition() -> None:
    script = FaultScript()
    script.always("/*", Status(500))
    assert script.take("/a") == Status(500)

    script.once("/a", Hang())

    assert [script.take("/a"), script.take("/a")] == [Hang(), None]
    assert script.take("/b") == Status(500)


def test_clear_forgets_everything() -> None:
    script = FaultScript()
    script.always("/a", Status(500))

    script.clear()

    assert script.take("/a") is None


@pytest.mark.parametrize(
    ("byte_range", "expected"),
    [(None, b"abcdef"), ((2, 3), b"cd"), ((4, None), b"ef"), ((4, 99), b"ef"), ((6, 7), None)],
)
def test_slice_range_is_inclusive_and_clipped(
    byte_range: tuple[int, int | None] | None, expected: bytes | None
) -> None:
    assert slice_range(b"abcdef", byte_range) == expected


def test_corrupted_keeps_the_length_and_inverts_only_what_was_named() -> None:
    assert corrupted(b"\x00" * 6, Corrupt(2, 3)) == b"\x00\x00\xff\xff\xff\x00"
    assert corrupted(b"\x00", Corrupt(5, 3)) == b"\x00"
