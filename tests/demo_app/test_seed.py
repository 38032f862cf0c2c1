from __future__ import annotations

from pathlib import Path

import pytest

from cushion_demo_app.clips import CLIPS, Clip, ClipUnavailable
from cushion_demo_app.seed import FILM_NAME, MIN_DURATION_S, RETRY_AFTER_MS, FilmWish, Seeder, SeedReport, missing
from cushion_player.testing.clock import FakeClock
from cushion_sdk.contracts.catalog import Title
from cushion_sdk.contracts.ingest import IngestJob, IngestRequest, IngestState
from tests.demo_app.fakes import make_job, make_title

NAMES = [clip.name for clip in CLIPS]


class FakeIngest:
    """A backend whose jobs are published at the next look, between two questions, but for those that break."""

    def __init__(self, *names: str) -> None:
        self.held = [make_title(f"id-{name}", name) for name in names]
        self.jobs: list[IngestJob] = []
        self.requests: list[IngestRequest] = []
        self.breaks: set[str] = set()
        self.looks = 0

    async def titles(self) -> list[Title]:
        self.looks += 1
        return list(self.held)

    async def ingest_jobs(self) -> list[IngestJob]:
        for place, job in enumerate(self.jobs):
            if job.state is IngestState.RUNNING and job.name in self.breaks:
                self.jobs[place] = make_job(job.name, IngestState.FAILED, problem="it has no video")
            elif job.state is IngestState.RUNNING:
                self.jobs[place] = make_job(job.name, IngestState.PUBLISHED)
                self.held.append(make_title(f"id-{job.name}", job.name))
        return list(self.jobs)

    async def ingest(self, request: IngestRequest) -> IngestJob:
        self.requests.append(request)
        self.jobs.append(make_job(request.name))
        return self.jobs[-1]


class Rig:
    """A seeder whose downloads and film are made up."""

    def __init__(self, downloads: Path, backend: FakeIngest) -> None:
        self.backend = backend
        self.downloads = downloads
        self.unreachable: set[str] = set()
        self.asked: list[str] = []
        self.films = 0
        self.now_ms = 1_000_000

    async def _bring(self, clip: Clip, downloads: Path) -> Path:
        self.asked.append(clip.name)
        if clip.registry in self.unreachable:
            raise ClipUnavailable(f"“{clip.name}” is left out: {clip.registry} could not bring it")
        return downloads / clip.file_name

    async def _make_film(self, film: FilmWish, path: Path) -> None:
        self.films += 1

    def run(self, clips: tuple[Clip, ...] = CLIPS) -> SeedReport:
        seeder = Seeder(
            self.backend, self.downloads, FilmWish(), clips,
            bring=self._bring, make_film=self._make_film, now_ms=lambda: self.now_ms,
        )  # fmt: skip
        return FakeClock().run(seeder.run())


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    return Rig(tmp_path / "downloads", FakeIngest())


def test_everything_missing_is_handed_over_with_its_licence(rig: Rig) -> None:
    report = rig.run()

    assert report.done
    assert {title.name for title in report.titles} == {*NAMES, FILM_NAME}
    requests = {request.name: request for request in rig.backend.requests}
    assert all(request.licence and Path(request.path).is_absolute() for request in requests.values())
    assert {requests[name].min_duration_s for name in NAMES} == {MIN_DURATION_S}
    assert report.preparing == ()
    assert report.problems == []


def test_a_full_catalog_is_left_alone(tmp_path: Path) -> None:
    rig = Rig(tmp_path, FakeIngest(*NAMES, FILM_NAME))

    report = rig.run()

    assert rig.asked == []
    assert rig.films == 0
    assert rig.backend.requests == []
    assert report.done


def test_a_job_under_way_is_waited_for_and_not_asked_for_again(tmp_path: Path) -> None:
    rig = Rig(tmp_path, FakeIngest(*NAMES))
    rig.backend.jobs = [make_job(FILM_NAME)]

    assert missing([FILM_NAME], rig.backend.held, rig.backend.jobs) == []


def test_a_registry_out_of_reach_is_said_once_and_the_rest_goes_on(rig: Rig) -> None:
    rig.unreachable = {"pypi"}

    report = rig.run()

    assert rig.asked == ["Bikes", "Big Buck Bunny, 1080p"]
    assert {title.name for title in report.titles} == {"Big Buck Bunny, 1080p", FILM_NAME}
    assert report.problems == [
        "“Bikes” is left out: pypi could not bring it",
        "“Big Buck Bunny” is left out: pypi cannot be reached",
    ]


def test_a_registry_that_failed_is_asked_again_after_a_day(rig: Rig) -> None:
    rig.unreachable = {"pypi", "npm"}
    rig.run()
    rig.unreachable = set()
    rig.asked.clear()

    rig.now_ms += RETRY_AFTER_MS - 1
    rig.run()
    assert rig.asked == []

    rig.now_ms += 1
    rig.run()
    assert rig.asked == NAMES


def test_a_source_the_backend_cannot_use_is_reported(rig: Rig) -> None:
    rig.backend.breaks = {"Bikes"}

    report = rig.run()

    assert report.problems == ["“Bikes” could not be prepared: it has no video"]
    assert FILM_NAME in {title.name for title in report.titles}


def test_without_clips_only_the_film_is_made(rig: Rig) -> None:
    report = rig.run(())

    assert [title.name for title in report.titles] == [FILM_NAME]
    assert rig.films == 1


def test_the_films_file_is_named_for_what_it_is() -> None:
    assert FilmWish(36.0, 640, 360).file_name == "film-640x360-36s.mp4"
