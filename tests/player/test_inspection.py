from __future__ import annotations

import json

import pytest

from cushion_player.inspection import inspect
from tests.player.manifest_files import FOLDER, URL, load


@pytest.mark.parametrize("name", sorted(path.name for path in FOLDER.iterdir()))
def test_every_description_is_json(name: str) -> None:
    described = inspect(load(name), segments=True)

    assert json.loads(json.dumps(described)) == described


def test_a_title_is_described() -> None:
    described = inspect(load("title.mpd"))

    assert {key: described[key] for key in ("kind", "url", "is_live", "duration_s", "repairs")} == {
        "kind": "dash",
        "url": URL + "title.mpd",
        "is_live": False,
        "duration_s": 5.504,
        "repairs": [],
    }
    periods = described["periods"]
    assert isinstance(periods, list)
    audio = periods[0]["adaptation_sets"][1]
    assert audio == {
        "id": "1",
        "kind": "audio",
        "language": "en",
        "roles": ["main"],
        "label": "",
        "is_muxed": False,
        "protection": [],
        "representations": [
            {
                "id": "audio",
                "bitrate_bps": 127_762,
                "declared_bitrate_bps": 128_000,
                "peak_bitrate_bps": 0,
                "width": 0,
                "height": 0,
                "frame_rate": None,
                "codecs": "mp4a.40.2",
                "container": "mp4",
                "segment_count": 3,
                "sizes_known": True,
                "init": {"url": URL + "audio/init-cc.mp4", "byte_range": [0, 699]},
            }
        ],
    }


def test_segments_are_listed_on_request() -> None:
    periods = inspect(load("title.mpd"), segments=True)["periods"]
    assert isinstance(periods, list)

    segments = periods[0]["adaptation_sets"][1]["representations"][0]["segments"]

    assert segments[1] == {
        "number": 2,
        "start_s": 2.005333,
        "duration_s": 1.984,
        "discontinuity": 0,
        "is_gap": False,
        "url": URL + "audio/h8.m4s",
        "byte_range": [0, 31_899],
    }
