from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cushion_servers.errors import NotFound, StoreError, StoreFull
from cushion_servers.store import LocalObjectStore, ObjectStore, _translated, content_name, is_safe_name
from cushion_servers.testing import MemoryStore


@pytest.fixture(params=["local", "memory"])
def any_store(request: pytest.FixtureRequest, tmp_path: Path) -> ObjectStore:
    return LocalObjectStore(tmp_path / "store") if request.param == "local" else MemoryStore()


def test_first_writer_wins(any_store: ObjectStore) -> None:
    assert any_store.put_if_absent("objects/ab/x.m4s", b"first")
    assert not any_store.put_if_absent("objects/ab/x.m4s", b"second")

    assert any_store.get("objects/ab/x.m4s") == b"first"


def test_put_replaces_and_changes_the_tag(any_store: ObjectStore) -> None:
    any_store.put("titles/t/manifest.mpd", b"one")
    before = any_store.info("titles/t/manifest.mpd")
    any_store.put("titles/t/manifest.mpd", b"other")

    after = any_store.info("titles/t/manifest.mpd")

    assert (before.size_bytes, after.size_bytes) == (3, 5)
    assert before.tag != after.tag
    assert any_store.get("titles/t/manifest.mpd") == b"other"


def test_missing_object_is_not_found(any_store: ObjectStore) -> None:
    assert not any_store.exists("objects/no")
    with pytest.raises(NotFound, match="objects/no"):
        any_store.get("objects/no")


@pytest.mark.parametrize(
    "name", ["", "..", "a/../b", "/etc/passwd", "a//b", "a/.hidden", "a\\b", "a/b#1", "a\0b", "a b"]
)
def test_names_that_could_leave_the_store_are_refused(name: str, tmp_path: Path) -> None:
    assert not is_safe_name(name)
    with pytest.raises(NotFound):
        LocalObjectStore(tmp_path).get(name)


@given(st.binary(max_size=64))
def test_content_names_are_safe_and_depend_on_the_content(data: bytes) -> None:
    assert is_safe_name(content_name(data, ".m4s"))
    assert content_name(data, ".m4s") != content_name(data + b"x", ".m4s")


def test_leftovers_of_killed_writers_are_removed(tmp_path: Path) -> None:
    store = LocalObjectStore(tmp_path)
    store.put("objects/ab/x.m4s", b"whole")
    (tmp_path / "objects" / "ab" / "y.m4s#1").write_bytes(b"half")

    assert store.remove_staged() == 1
    assert [path.name for path in (tmp_path / "objects" / "ab").iterdir()] == ["x.m4s"]


def test_a_directory_that_cannot_be_made_is_a_store_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")

    with pytest.raises(StoreError, match="cannot be opened"):
        LocalObjectStore(tmp_path / "file" / "store").get("x")


@pytest.mark.parametrize("text", ["Unable to copy data to file: No space left on device (os error 28)", "os error 28"])
def test_no_space_in_the_engine_is_store_full(text: str) -> None:
    assert isinstance(_translated(RuntimeError(text), "x"), StoreFull)
    assert isinstance(_translated(OSError(28, "No space left on device"), "x"), StoreFull)
