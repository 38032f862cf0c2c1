"""Plain command lines mean the same with and without typer, and what is not plain is left to it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import pytest
import typer
from hypothesis import given
from hypothesis import strategies as st

from cushion_sdk.cli.play import play
from cushion_sdk.cli.quick import bind


class Recorded:
    """A command like ours that writes down what it was called with."""

    def __init__(self) -> None:
        self.calls: list[dict[str, Any]] = []

    def command(
        self,
        url: Annotated[str, typer.Argument(help="What.")],
        loud: Annotated[bool, typer.Option("--loud")] = False,
        rule: Annotated[str, typer.Option(help="How.")] = "bba2",
        seconds: Annotated[float | None, typer.Option(min=0.1)] = None,
        volume: Annotated[float, typer.Option(min=0.0, max=1.0)] = 1.0,
        tries: Annotated[int, typer.Option()] = 3,
        journal_path: Annotated[Path | None, typer.Option()] = None,
        json: Annotated[str | None, typer.Option("--json", metavar="FILE")] = None,
    ) -> None:
        self.calls.append(
            {
                "url": url, "loud": loud, "rule": rule, "seconds": seconds,
                "volume": volume, "tries": tries, "journal": journal_path, "json": json,
            }
        )  # fmt: skip


def by_typer(args: list[str]) -> dict[str, Any] | None:
    recorded = Recorded()
    app = typer.Typer(add_completion=False)
    app.command()(recorded.command)
    try:
        typer.main.get_command(app).main(args=args, standalone_mode=False)
    except Exception:  # whatever typer says of bad arguments
        return None
    return recorded.calls[0] if recorded.calls else None


def shout(value: str) -> str:
    return value.upper()


WORDS = st.sampled_from(
    ["http://x/m.mpd", "--loud", "--no-loud", "--rule", "bola", "--seconds", "2", "0.05", "nan", "--volume", "0.5",
     "1.5", "--tries", "4", "4.5",
     "--journal-path", "a b", "--json", "-", "--", "--help", "-v", "", "--rule=fixed", "--jso"]
)  # fmt: skip


@given(st.lists(WORDS, max_size=6))
def test_what_is_read_quickly_is_what_typer_reads(args: list[str]) -> None:
    recorded = Recorded()
    call = bind(recorded.command, args)
    if call is None:
        return

    call()

    assert recorded.calls == [by_typer(args)]


def test_plain_lines_are_read_quickly() -> None:
    recorded = Recorded()
    call = bind(recorded.command, ["--seconds", "2", "http://x/m.mpd", "--loud", "--json", "out.json", "--tries", "7"])
    assert call is not None

    call()

    assert recorded.calls[0] == {
        "url": "http://x/m.mpd", "loud": True, "rule": "bba2", "seconds": 2.0,
        "volume": 1.0, "tries": 7, "journal": None, "json": "out.json",
    }  # fmt: skip


@pytest.mark.parametrize(
    "args",
    [[], ["x", "--help"], ["x", "--seconds", "0"], ["x", "--volume", "2"], ["x", "y"], ["x", "--rule"], ["x", "--nope"],
     ["x", "--json", "-"], ["x", "--tries", "1.5"]],
)  # fmt: skip
def test_what_is_not_plain_is_left_to_typer(args: list[str]) -> None:
    assert bind(Recorded().command, args) is None


def test_an_option_that_may_be_given_several_times_is_left_to_typer_when_it_is() -> None:
    assert bind(play, ["http://x/m.mpd", "--also", "http://y/m.mpd"]) is None


def test_an_option_whose_variable_is_set_is_left_to_typer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUSHION_RENDERER", "raster")

    assert bind(play, ["http://x/m.mpd"]) is None


def test_playing_is_plain(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CUSHION_RENDERER", raising=False)

    assert bind(play, ["http://x/m.mpd", "--headless", "--seconds", "5", "--start", "0", "--data", "d"]) is not None


def test_a_parameter_with_a_callback_is_left_to_typer() -> None:
    def command(url: Annotated[str, typer.Argument(callback=shout)]) -> None: ...

    assert bind(command, ["x"]) is None
