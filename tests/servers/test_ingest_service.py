from __future__ import annotations

import errno
import logging
from pathlib import Path

import pytest

from cushion_sdk.contracts import IngestJob, IngestRequest, IngestState
from cushion_servers.backend import Backend, open_backend
from cushion_servers.config import BackendConfig
from cushion_servers.errors import InvalidRequest, NotFound
from cushion_servers.testing import CountingRunner, MemoryStore
from cushion_servers.transcode.steps import Step, StepResult


async def ingest(backend: Backend, path: Path, **settings: object) -> IngestJob:
    job = await backend.ingest.submit(IngestRequest(path=str(path), **settings))  # type: ignore[arg-type]
    return await backend.ingest.wait(job.job_id)


async def test_clip_becomes_a_title(backend: Backend, store: MemoryStore, clip: Path) -> None:
    job = await ingest(backend, clip, name="A clip", min_duration_s=9.0, licence="CC0")

    assert (job.state, job.done_steps, job.problem) == (IngestState.PUBLISHED, job.total_steps, "")
    title = await backend.titles.get(job.title_id)
    assert (title.name, title.licence, title.duration_s) == ("A clip", "CC0", 9.6)
    assert title.note == "4.8 s clip, repeated 2 times"
    assert [(rung.height_px, rung.width_px) for rung in title.ladder.video] == [(144, 256), (180, 320)]
    assert title.ladder.frame_rate == "25/1"
    assert title.ladder.audio_bitrate_bps > 0
    for path in (title.dash_path, title.hls_path, title.poster_path):
        assert store.exists(path.removeprefix("/media/"))


async def test_second_ingest_encodes_nothing_and_is_the_same_title(
    backend: Backend, runner: CountingRunner, clip: Path
) -> None:
    first = await ingest(backend, clip, name="Old name")
    runner.ran.clear()

    second = await ingest(backend, clip, name="New name")

    assert runner.ran == ["probe"]
    assert second.title_id == first.title_id
    assert [title.name for title in (await backend.titles.page("", 10)).titles] == ["New name"]


async def test_step_is_done_again_when_one_of_its_objects_is_gone(
    backend: Backend, store: MemoryStore, runner: CountingRunner, clip: Path
) -> None:
    job = await ingest(backend, clip)
    poster = (await backend.titles.get(job.title_id)).poster_path.removeprefix("/media/")
    del store.objects[poster]
    runner.ran.clear()

    await ingest(backend, clip)

    assert runner.ran == ["probe", "poster"]
    assert store.exists(poster)


@pytest.fixture(params=[b"", b"not a video at all" * 100], ids=["empty", "text"])
def bad_file(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    path = tmp_path / "bad.mp4"
    path.write_bytes(request.param)
    return path


async def test_bad_source_fails_with_one_sentence_and_publishes_nothing(
    backend: Backend, store: MemoryStore, bad_file: Path
) -> None:
    job = await ingest(backend, bad_file)

    assert job.state is IngestState.FAILED
    assert job.problem.startswith(str(bad_file))
    assert job.problem.count(".") == job.problem.count(".mp4") + 1
    assert not store.objects
    assert not (await backend.titles.page("", 10)).titles


async def test_unreadable_path_fails_the_job(backend: Backend, tmp_path: Path) -> None:
    job = await ingest(backend, tmp_path / "nothing.mp4")

    assert (job.state, "No such file" in job.problem) == (IngestState.FAILED, True)


async def test_source_damaged_in_its_middle_publishes_nothing(
    backend: Backend, store: MemoryStore, damaged_clip: Path
) -> None:
    job = await ingest(backend, damaged_clip)

    assert job.state is IngestState.FAILED
    assert "damaged" in job.problem
    assert not [name for name in store.objects if name.startswith("titles/")]
    assert not (await backend.titles.page("", 10)).titles


@pytest.mark.parametrize("capacity_bytes", [0, 5_000, 20_000])
async def test_full_disk_fails_the_job_and_publishes_nothing(tmp_path: Path, clip: Path, capacity_bytes: int) -> None:
    store = MemoryStore(capacity_bytes)
    config = BackendConfig(data_dir=tmp_path)
    async with open_backend(config, store=store, runner=CountingRunner(store)) as backend:
        job = await ingest(backend, clip)

        assert job.state is IngestState.FAILED
        assert job.problem == "No space is left on the disk that holds the objects."
        assert not (await backend.titles.page("", 10)).titles

        store.capacity_bytes = None
        again = await ingest(backend, clip)
        assert again.state is IngestState.PUBLISHED


async def test_disk_that_fills_up_at_publication_publishes_nothing(tmp_path: Path, clip: Path) -> None:
    class NoManifests(MemoryStore):
        def put(self, name: str, data: bytes) -> None:
            if name.startswith("titles/"):
                raise OSError(errno.ENOSPC, "No space left on device")
            super().put(name, data)

    store = NoManifests()
    config = BackendConfig(data_dir=tmp_path)
    async with open_backend(config, store=store, runner=CountingRunner(store)) as backend:
        job = await ingest(backend, clip)

        assert (job.state, "No space is left" in job.problem) == (IngestState.FAILED, True)
        assert not (await backend.titles.page("", 10)).titles


async def test_lost_worker_is_replaced_twice_and_then_the_job_fails(tmp_path: Path, clip: Path) -> None:
    store = MemoryStore()
    for name, lose, state in (("a", 2, IngestState.PUBLISHED), ("b", 99, IngestState.FAILED)):
        runner = CountingRunner(MemoryStore() if name == "b" else store, lose=lose)
        async with open_backend(BackendConfig(data_dir=tmp_path / name), store=store, runner=runner) as backend:
            job = await ingest(backend, clip)

            assert job.state is state
            if state is IngestState.FAILED:
                assert job.problem.endswith("died.")


class StoppingRunner(CountingRunner):
    """Closes itself, as a killed backend would, when a step of this name comes."""

    def __init__(self, store: MemoryStore, stop_at: str) -> None:
        super().__init__(store)
        self._stop_at = stop_at

    async def run(self, step: Step, priority: int = 0) -> StepResult:
        if step.name == self._stop_at:
            await self.close()
        return await super().run(step, priority)


async def test_interrupted_job_goes_on_after_a_restart_without_redoing_finished_steps(
    tmp_path: Path, clip: Path
) -> None:
    store, config = MemoryStore(), BackendConfig(data_dir=tmp_path)
    stopping = StoppingRunner(store, "join")
    async with open_backend(config, store=store, runner=stopping) as backend:
        job = await ingest(backend, clip)
        assert job.state is IngestState.RUNNING
        assert not (await backend.titles.page("", 10)).titles

    runner = CountingRunner(store)
    async with open_backend(config, store=store, runner=runner) as backend:
        job = await backend.ingest.wait(job.job_id)

    assert job.state is IngestState.PUBLISHED
    assert sorted(stopping.ran) == ["audio", "join", "poster", "probe", "video 1"]
    assert runner.ran == ["probe", "join"]


async def test_same_request_twice_is_one_job(backend: Backend, clip: Path) -> None:
    request = IngestRequest(path=str(clip))

    first, second = await backend.ingest.submit(request), await backend.ingest.submit(request)

    assert first.job_id == second.job_id
    await backend.ingest.wait(first.job_id)
    assert len(await backend.ingest.jobs()) == 1


async def test_two_jobs_of_one_source_encode_it_once(backend: Backend, runner: CountingRunner, clip: Path) -> None:
    names = ("one", "two")
    jobs = [await backend.ingest.submit(IngestRequest(path=str(clip), name=name)) for name in names]

    ended = [await backend.ingest.wait(job.job_id) for job in jobs]

    assert [job.state for job in ended] == [IngestState.PUBLISHED] * 2
    assert sorted(runner.ran) == ["audio", "join", "poster", "probe", "probe", "video 1"]


async def test_job_without_a_name_is_called_after_its_file(backend: Backend, clip: Path) -> None:
    job = await ingest(backend, clip)

    assert job.name == "clip"
    assert (await backend.titles.get(job.title_id)).name == "clip"


async def test_impossible_requests_are_refused(backend: Backend) -> None:
    with pytest.raises(InvalidRequest, match="absolute"):
        await backend.ingest.submit(IngestRequest(path="clip.mp4"))
    with pytest.raises(InvalidRequest, match="min_duration_s"):
        await backend.ingest.submit(IngestRequest(path="/clip.mp4", min_duration_s=-1.0))
    with pytest.raises(NotFound):
        await backend.ingest.job("none")


class BrokenRunner:
    """Its steps fail as only a bug makes them."""

    async def run(self, step: Step, priority: int = 0) -> StepResult:
        raise KeyError("surprise")

    async def close(self) -> None: ...


@pytest.mark.parametrize(("debug", "is_shown"), [("", False), ("1", True)])
async def test_a_bug_is_one_sentence_and_its_traceback_only_for_those_who_ask(
    tmp_path: Path,
    clip: Path,
    debug: str,
    is_shown: bool,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setenv("CUSHION_DEBUG", debug)
    caplog.set_level(logging.DEBUG)
    config = BackendConfig(data_dir=tmp_path)

    async with open_backend(config, store=MemoryStore(), runner=BrokenRunner(), now_ms=lambda: 5) as backend:
        job = await ingest(backend, clip)

    assert job.problem == "The ingest failed for a reason of ours: KeyError: 'surprise'."
    traced = [record for record in caplog.records if record.exc_info]
    assert [record.levelno >= logging.WARNING for record in traced] == [is_shown]


async def test_the_name_of_a_title_has_a_limit(backend: Backend, clip: Path) -> None:
    with pytest.raises(InvalidRequest, match="has 201 characters, but 200 at most are allowed"):
        await backend.ingest.submit(IngestRequest(path=str(clip), name="x" * 201))

    assert await backend.ingest.jobs() == []
    assert (await ingest(backend, clip, name="x" * 200)).state is IngestState.PUBLISHED
