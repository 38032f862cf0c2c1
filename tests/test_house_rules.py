"""The rules of conftest.py catch what they are for: each is shown a test that breaks it."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest_plugins = ["pytester"]
pytestmark = pytest.mark.logs_warnings  # the loggers are shared with the inner run

CONFTEST = Path(__file__).with_name("conftest.py")
SETTINGS = """
[pytest]
asyncio_mode = auto
asyncio_default_fixture_loop_scope = function
markers =
    engine(*commands): needs commands
    logs_warnings: meant
"""


@pytest.fixture
def house(pytester: pytest.Pytester) -> pytest.Pytester:
    """A small project under the same conftest.py."""
    pytester.makeconftest(CONFTEST.read_text(encoding="utf-8"))
    pytester.makeini(SETTINGS)
    return pytester


def outcome(house: pytest.Pytester, body: str) -> tuple[dict[str, int], str]:
    house.makepyfile("import asyncio, logging, threading\nimport pytest\n" + body)
    result = house.runpytest_inprocess("-q", "-ra")
    return result.parseoutcomes(), result.stdout.str()


def test_quiet_test_passes(house: pytest.Pytester) -> None:
    counts, _ = outcome(house, "async def test_nothing():\n    await asyncio.sleep(0)\n")

    assert counts == {"passed": 1}


def test_warning_of_ours_fails_unless_marked(house: pytest.Pytester) -> None:
    counts, text = outcome(
        house,
        """
def test_warns():
    logging.getLogger("cushion_player.engine").warning("the sky falls")

@pytest.mark.logs_warnings
def test_warns_as_meant():
    logging.getLogger("cushion_player.engine").warning("the sky falls")

def test_tells():
    logging.getLogger("cushion_player.engine").info("fine")
""",
    )

    assert counts == {"passed": 3, "errors": 1}
    assert "the sky falls" in text


def test_leaked_task_fails(house: pytest.Pytester) -> None:
    counts, text = outcome(
        house,
        """
KEPT = []

async def test_leaks():
    KEPT.append(asyncio.create_task(asyncio.sleep(60), name="forgotten"))
""",
    )

    assert counts == {"passed": 1, "errors": 1}
    assert "forgotten" in text


def test_leaked_thread_fails(house: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    counts, text = outcome(
        house,
        """
RELEASE = threading.Event()

@pytest.fixture(scope="module", autouse=True)
def release():
    yield
    RELEASE.set()

def test_leaks():
    threading.Thread(target=RELEASE.wait, name="forgotten", daemon=True).start()
""",
    )

    assert counts == {"passed": 1, "errors": 1}
    assert "forgotten" in text


@pytest.mark.parametrize(("required", "expected"), [("0", {"skipped": 1}), ("1", {"errors": 1})])
def test_missing_engine_skips_or_fails(
    house: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, required: str, expected: dict[str, int]
) -> None:
    monkeypatch.setenv("CUSHION_REQUIRE_ENGINES", required)

    counts, text = outcome(house, '@pytest.mark.engine("no-such-engine")\ndef test_needs_it():\n    pass\n')

    assert counts == expected
    assert "no-such-engine" in text
