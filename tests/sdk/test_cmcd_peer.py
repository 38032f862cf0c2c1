"""Our records before an independent judge: the validators and the encoder of npm `@svta/cml-cmcd`."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from cushion_sdk.contracts.cmcd import CONTENT_TYPE, decode_events, encode_events, join_events
from tests.sdk.conftest import Living

ROOT = Path(__file__).parents[2]
PEER = ROOT / "tests" / "e2e" / "browser"
JUDGE = """
import { readFileSync } from 'node:fs';
import { validateCmcdEventReport, encodeCmcd } from '@svta/cml-cmcd';
const { body, type } = JSON.parse(readFileSync(0, 'utf8'));
const report = validateCmcdEventReport({ method: 'POST', url: 'http://c/', headers: { 'Content-Type': type }, body });
const again = report.data.map((data) => encodeCmcd(data, { reportingMode: 'event', version: 2 })).join('\\n');
console.log(JSON.stringify({ valid: report.valid, issues: report.issues, again }));
"""

pytestmark = pytest.mark.engine("node", "browser-players")


def judge(body: bytes) -> dict[str, object]:
    node = shutil.which("node")
    assert node is not None
    done = subprocess.run(
        [node, "--input-type=module", "-e", JUDGE],
        input=json.dumps({"body": body.decode(), "type": CONTENT_TYPE}),
        capture_output=True,
        text=True,
        cwd=PEER,
        check=True,
        timeout=60,
    )
    verdict: dict[str, object] = json.loads(done.stdout)
    return verdict


def test_a_whole_session_is_valid_without_a_remark_and_is_encoded_to_the_same_bytes(living: Living) -> None:
    async def watch() -> None:
        living.backend.is_down = True
        async with living.session() as session:
            session.play()
            await living.sleep(12)
            session.pause()
            session.set_rate(1.5)
            session.play()
            session.seek(30)
            await session.wait_finished()
        for url in [url for url in living.origin.content if url.endswith(".m4s")]:
            living.origin.content.pop(url)
        async with living.session() as session:
            session.play()
            await session.wait_finished()

    living.clock.run(watch())
    lines = [event.line for event in living.stores.next_events(10_000, 10**9).result()]
    body = join_events(lines)

    verdict = judge(body)

    assert len(lines) > 15
    assert {record.event.value for record in decode_events(body)} >= {"ps", "bc", "t", "pr", "e"}
    assert verdict == {"valid": True, "issues": [], "again": body.decode()}
    assert encode_events(decode_events(body)) == body


def test_the_judge_sees_a_key_of_the_wrong_type() -> None:
    assert judge(b'bl=300,e=t,sid="s",ts=1,v=2')["valid"] is False
