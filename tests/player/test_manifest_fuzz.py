"""Whatever comes, the readers give a model or an error of ours with its place. Bytes by the hour: scripts/fuzz."""

from __future__ import annotations

import json
from collections.abc import Generator
from contextlib import contextmanager
from fractions import Fraction

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cushion_player.errors import ManifestError
from cushion_player.inspection import inspect
from cushion_player.manifest import ReadResult, later_needs, read, refresh, resolve
from cushion_player.model import Presentation
from cushion_player.planning.addressing import plan_playback
from cushion_player.planning.availability import join_position, window_at
from tests.player.manifest_strategies import anything, odd_mpds, odd_playlists, plain_mpds, plain_playlists

URL = "https://example.com/a/manifest"
LATER = Fraction(1_800_000_000)
fuzzed = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def check_place(error: ManifestError) -> None:
    if not error.location:
        raise AssertionError(f"an error without a place: {error}") from error


@contextmanager
def may_be_refused() -> Generator[None, None, None]:
    """Errors of ours pass when they have a place; all others fail."""
    try:
        yield
    except ManifestError as error:
        check_place(error)


def attempt(text: str | bytes) -> ReadResult | None:
    """What reading gives; None for an error of ours."""
    try:
        return read(text, URL)
    except ManifestError as error:
        check_place(error)
        return None


def look_at(presentation: Presentation) -> None:
    """Everything that is asked of a presentation works, or is refused with a place."""
    json.dumps(inspect(presentation, now=LATER), allow_nan=False)
    window = window_at(presentation, LATER)
    joined = join_position(presentation, LATER)
    assert (window is None) == (joined is None)
    if window is not None and joined is not None:
        assert window.start <= joined <= window.end
    later_needs(presentation)
    for period in presentation.periods:
        for adaptation_set in period.adaptation_sets:
            for item in adaptation_set.representations:
                if item.segments:
                    assert item.segments[0].address.url
                    assert item.segments[-1].duration >= 0
    with may_be_refused():
        plan_playback(presentation)


@fuzzed
@given(anything)
def test_whatever_is_read_gives_a_model_or_a_located_error(text: str | bytes) -> None:
    result = attempt(text)

    if result is not None:
        look_at(result.presentation)


@fuzzed
@given(odd_mpds() | odd_playlists(), anything)
def test_whatever_answers_a_need_or_a_refresh_gives_a_model_or_a_located_error(text: str, answer: str | bytes) -> None:
    result = attempt(text)
    if result is None:
        return
    body = answer.encode("utf-8", "surrogatepass") if isinstance(answer, str) else answer

    for need in (*result.needs, *later_needs(result.presentation))[:2]:
        with may_be_refused():
            look_at(resolve(result, need, body, need.url).presentation)
    with may_be_refused():
        look_at(refresh(result.presentation, answer, URL).presentation)


@fuzzed
@given(plain_mpds() | plain_playlists())
def test_a_correct_manifest_is_read_without_repairs_and_stays_itself_on_refresh(text: str) -> None:
    presentation = read(text, URL).presentation

    assert presentation.repairs == ()
    assert refresh(presentation, text, URL).presentation is presentation
    look_at(presentation)


@fuzzed
@given(st.text(max_size=300))
def test_a_guard_that_lets_in_no_page_lets_out_no_other_error(text: str) -> None:
    attempt("<" + text)
    attempt("#EXTM3U\n" + text)
