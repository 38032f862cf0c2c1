from __future__ import annotations

import pytest

from cushion_player.testing.answers import Answer, slice_range
from cushion_player.testing.fault_script import FaultScript, Rule
from cushion_player.testing.faults import (
    Corrupt,
    Frozen,
    Hang,
    Rewrite,
    Shifted,
    Shorten,
    Status,
    WrongType,
    corrupted,
    spoil,
    time_of,
)

SECOND = 1_000_000


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


@pytest.mark.parametrize(
    ("rule", "hit", "missed"),
    [
        (Rule(kind="manifest"), "http://a/x.mpd", "http://a/x.m4s"),
        (Rule(host="edge-1*"), "http://edge-1:80/x", "http://edge-2:80/x"),
        (Rule("/v/*.m4s"), "http://a/v/3.m4s?token=1", "http://a/w/3.m4s"),
        (Rule("http://a/v/*"), "http://a/v/3.m4s?token=1", "http://b/v/3.m4s"),
        (Rule("*", kind="key"), "/one.key", "/one.json"),
    ],
)
def test_a_rule_matches_by_path_kind_and_host(rule: Rule, hit: str, missed: str) -> None:
    script = FaultScript(Rule(rule.path, (Status(500),), repeats=True, kind=rule.kind, host=rule.host))

    assert script.take(missed) is None
    assert script.take(hit) == Status(500)


def test_a_rule_holds_within_its_time() -> None:
    script = FaultScript(Rule(faults=(Status(500),), repeats=True, from_us=2 * SECOND, until_us=4 * SECOND))

    got = [script.take("/a", now_us=second * SECOND) for second in range(6)]

    assert [fault is not None for fault in got] == [False, False, True, True, False, False]


def test_a_rule_may_skip_and_count_all_paths_together() -> None:
    script = FaultScript(Rule("*.key", (Status(403),), repeats=True, skip=2, is_per_path=False))

    assert [script.take(f"/{number}.key") for number in range(4)] == [None, None, Status(403), Status(403)]


def test_one_host_s_count_is_not_the_other_s() -> None:
    script = FaultScript(Rule("/a", (Status(404),)))

    assert script.take("/a", host="one") == Status(404)
    assert script.take("/a", host="two") == Status(404)
    assert script.take("/a", host="one") is None


def test_faults_of_content_change_the_content_alone() -> None:
    answer = Answer(200, b"#EXT-X-MEDIA-SEQUENCE:7\n", "text/plain", arrivals=((24, 5),))

    assert spoil(answer, Rewrite(r"SEQUENCE:\d+", "SEQUENCE:1")).body == b"#EXT-X-MEDIA-SEQUENCE:1\n"
    assert spoil(answer, Shorten(4)) == Answer(200, b"#EXT", "text/plain")
    assert spoil(answer, WrongType("video/mp4")).media_type == "video/mp4"
    assert spoil(answer, Hang()) == answer
    assert spoil(Answer(404, b"no"), Shorten(1)) == Answer(404, b"no")


def test_faults_of_time_shift_or_stop_it() -> None:
    assert time_of(None, 7 * SECOND) == (7 * SECOND, 7 * SECOND)
    assert time_of(Shifted(-2), 7 * SECOND) == (5 * SECOND, 5 * SECOND)
    assert time_of(Shifted(-2, has_date=False), 7 * SECOND) == (5 * SECOND, 7 * SECOND)
    assert time_of(Frozen(6 * SECOND), 7 * SECOND) == (6 * SECOND, 7 * SECOND)
    assert time_of(Frozen(6 * SECOND), 3 * SECOND) == (3 * SECOND, 3 * SECOND)


@pytest.mark.parametrize(
    ("byte_range", "status", "body", "arrivals"),
    [
        ((2, 3), 206, b"cd", ((1, 10), (2, 20))),
        ((4, None), 206, b"ef", ((2, 20),)),
        ((6, 7), 416, b"", ()),
        (None, 200, b"abcdef", ((3, 10), (6, 20))),
    ],
)
def test_a_range_of_an_answer_keeps_its_arrivals(
    byte_range: tuple[int, int | None] | None, status: int, body: bytes, arrivals: tuple[tuple[int, int], ...]
) -> None:
    answer = Answer(200, b"abcdef", arrivals=((3, 10), (6, 20))).sliced(byte_range)

    assert (answer.status, answer.body, answer.arrivals) == (status, body, arrivals)
