"""`cushion inspect` over many inputs at once."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from cushion_player.testing.origin import Origin
from cushion_sdk.cli import root

GOLDEN = Path(__file__).parents[1] / "golden" / "manifests"


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_hundreds_of_inputs_give_one_line_each_in_their_order(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    names = [str(path) for path in sorted(GOLDEN.iterdir())] * 20
    broken = tmp_path / "broken.mpd"
    broken.write_text("<MPD><Period></MPD>")
    names[7:7] = [str(broken)]

    status = root.run(["inspect", "--json", *names])

    found = lines(capsys)
    assert status == 0
    assert [each["source"] for each in found] == names
    assert found[7]["error"]["type"] == "ManifestSyntaxError"
    assert found[7]["error"]["location"] == "line 1, column 16"
    assert all(each["periods"] for each in found if "error" not in each)


def test_one_input_gives_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert root.run(["inspect", "--json", "--segments", str(GOLDEN / "title.mpd")]) == 0

    (described,) = lines(capsys)
    assert described["kind"] == "dash"
    assert described["missing"] == []


def test_what_could_not_be_fetched_is_an_error_object_and_status_1(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with Origin({"/good.m3u8": (GOLDEN / "360p.m3u8").read_bytes()}).in_thread() as origin:
        status = root.run(["inspect", "--json", origin.url("/none.mpd"), origin.url("/good.m3u8")])
        url = origin.url("/none.mpd")

    refused, good = lines(capsys)
    assert status == 1
    assert refused["error"]["type"] == "HttpStatusError"
    assert refused["error"]["location"] == url
    assert good["kind"] == "hls"


def test_what_is_no_input_at_all_is_an_error_object_and_status_2(capsys: pytest.CaptureFixture[str]) -> None:
    assert root.run(["inspect", "--json", "nothing.mpd", str(GOLDEN / "title.mpd")]) == 2

    refused, good = lines(capsys)
    assert refused == {
        "source": "nothing.mpd",
        "error": {
            "type": "UsageError",
            "message": "'nothing.mpd' is neither a URL nor a file that exists",
            "location": "nothing.mpd",
        },
    }
    assert good["kind"] == "dash"


def test_a_multivariant_playlist_is_described_even_without_its_media_playlists(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "title.m3u8"
    path.write_bytes((GOLDEN / "title.m3u8").read_bytes())

    assert root.run(["inspect", "--json", str(path)]) == 0

    (described,) = lines(capsys)
    heights = [each["height"] for each in described["periods"][0]["adaptation_sets"][0]["representations"]]
    assert sorted(heights) == [360, 720]
    assert {part["url"].rsplit("/", 1)[-1] for part in described["missing"]} >= {"360p.m3u8", "720p.m3u8"}


def test_people_get_the_good_ones_as_trees_and_the_refused_as_sentences(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = tmp_path / "broken.mpd"
    broken.write_text("<MPD><Period></MPD>")

    assert root.run(["inspect", str(broken), str(GOLDEN / "title.mpd")]) == 1

    said = capsys.readouterr()
    assert said.err == "cushion: not well-formed XML: mismatched tag (at line 1, column 16)\n"
    assert said.out.startswith("DASH ")
