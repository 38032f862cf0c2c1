"""Steering servers, good and bad, and pathways that are laid out in another way; on demand and live."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC

from cushion_player.testing.fault_script import Rule
from cushion_player.testing.faults import Drip, Fault, Instead, Redirect, Refuse, Rewrite, Status
from cushion_player.testing.live import Clone, HlsOptions, Pathway, Steering
from tests.player.faults.live_scenarios import BEGAN_S, ENOUGH, JOINED_S, LIVE, WATCHED_S, WITH_STALL
from tests.player.faults.scenario import Ends, Fails, Scenario
from tests.player.faults.vod_scenarios import SECOND, VOD, by_name, in_both

PATHWAYS = (Pathway("a", "http://one/"), Pathway("b", "http://two/"))
HOSTS = ("http://one", "http://two", "http://three")
SERVER = "/steering.json"
HARD = ("http_status", "connection_lost", "fetch_timeout")


def _wants(*order: str, ttl_s: int = 10, **more: object) -> Steering:
    return replace(Steering(((0, order),), ttl_s=ttl_s), **more)  # type: ignore[arg-type] # fields of Steering, by name


def _gone(host: str, path: str = "/p*") -> Rule:
    return Rule(path, (Refuse(),), repeats=True, host=host)


def _answers(*bodies: str) -> Rule:
    return Rule(SERVER, tuple(Instead(body.encode()) for body in bodies), repeats=True)


def _on_demand() -> Iterator[Scenario]:
    config = replace(VOD, end_us=60 * SECOND, pathways=PATHWAYS, steering=_wants("a", "b"))
    vod = Scenario("", config, Ends(within_s=180), hosts=HOSTS, asks=("two", SERVER), max_requests=400)
    for what, fault in by_name({"is down": Refuse(), "drips": Drip(1, 2.0), "sends viewers in a circle": Redirect("")}):
        broken: tuple[Fault, ...] = (fault,)
        first = replace(config, steering=_wants("a", query_before_start=True))
        rule = Rule(SERVER, broken, repeats=True)
        yield replace(
            vod, name=f"the steering server {what} before the start", config=first, rules=(rule,), asks=("one",)
        )
    clone = '{"VERSION":1,"TTL":%s,"RELOAD-URI":"steering.json?n=%s","PATHWAY-PRIORITY":["%s"],"PATHWAY-CLONES":[%s]}'
    made = '{"BASE-ID":"%s","ID":"%s","URI-REPLACEMENT":{"HOST":"%s"}}'
    for ttl in ("0", "-1", "1", '"soon"', "1e99"):
        yield replace(
            vod,
            name=f"the steering server wants to be asked after {ttl} seconds",
            rules=(_answers(clone % (ttl, 1, "b", "")),),
        )
    yield replace(
        vod,
        name="a clone of a clone",
        rules=(_answers(clone % (10, 1, "d", ",".join([made % ("a", "c", "nowhere"), made % ("c", "d", "three")]))),),
        asks=("three", SERVER),
    )
    yield replace(
        vod,
        name="a clone that is not there",
        rules=(_answers(clone % (10, 1, "c", made % ("a", "c", "nowhere"))),),
        asks=("one", SERVER),
    )
    yield replace(
        vod,
        name="a clone that points at files",
        rules=(
            _answers(
                clone
                % (10, 1, "c", '{"BASE-ID":"a","ID":"c","URI-REPLACEMENT":{"PER-VARIANT-URIS":{"v0":"file:///etc/x"}}}')
            ),
        ),
        asks=("one", SERVER),
    )
    yield replace(
        vod,
        name="the steering server leads to a file",
        rules=(_answers('{"VERSION":1,"RELOAD-URI":"file:///etc/passwd","PATHWAY-PRIORITY":["b"]}'),),
        asks=("one", SERVER),
        avoids=("two",),
    )
    noise = "x" * 1_000_000
    yield replace(
        vod,
        name="the steering server talks without an end",
        rules=(_answers(f'{{"VERSION":1,"PATHWAY-PRIORITY":["b"],"x":"{noise}"}}'),),
        asks=("one", SERVER),
        avoids=("two",),
    )
    yield replace(
        vod,
        name="the steering server says 410 and was right before",
        rules=(Rule(SERVER, (Instead((clone % (5, 1, "b", "")).encode()), Status(410)), repeats=True),),
        max_requests=80,
    )
    yield replace(
        vod,
        name="every steered host is gone",
        expect=Fails(HARD, ("one", "two")),
        rules=(_gone("one"), _gone("two")),
        asks=(),
        max_requests=60,
    )


def _elsewhere() -> Iterator[Scenario]:
    """The other pathway's playlists list other addresses, and count in another way."""
    vod = Scenario("", replace(VOD, pathways=PATHWAYS), Ends(), hosts=HOSTS, url="http://one/live.m3u8")
    moved = Rule("/??.m3u8", (Rewrite(r"\bp0/", "http://three/p0/"),), repeats=True, host="two")
    yield replace(
        vod,
        name="the other pathway lists other addresses (hls)",
        rules=(_gone("one"), _gone("two"), moved),
        asks=("three",),
    )
    numbered = Rule("/??.m3u8", (Rewrite(r"MEDIA-SEQUENCE:\d+", "MEDIA-SEQUENCE:700"),), repeats=True, host="two")
    yield replace(vod, name="the other pathway counts otherwise (hls)", rules=(_gone("one"), numbered), asks=("two",))
    short = Rule(
        "/v?.m3u8", (Rewrite(r"(?s)(#EXTINF[^#]*){12}#EXT-X-ENDLIST", "#EXT-X-ENDLIST"),), repeats=True, host="two"
    )
    yield replace(
        vod,
        name="the other pathway does not have all of it (hls)",
        expect=Fails((*HARD, "not_listed"), ("does not list",)),
        rules=(_gone("one"), short),
        asks=("two",),
    )
    yield replace(
        vod,
        name="the other pathway's playlists are gone too (hls)",
        expect=Fails(HARD, ("one", "two")),
        rules=(_gone("one"), Rule("*", (Refuse(),), repeats=True, host="two")),
    )


def _cbc(key: bytes, vector: bytes, clear: bytes) -> bytes:
    padding = 16 - len(clear) % 16
    encryptor = Cipher(AES(key), CBC(vector)).encryptor()
    return encryptor.update(clear + bytes([padding]) * padding) + encryptor.finalize()


def _encrypted() -> Iterator[Scenario]:
    """Keys that a pathway has fail with it."""
    config = replace(VOD, pathways=PATHWAYS, hls=HlsOptions(segments_per_key=4, cipher=_cbc))
    vod = Scenario("", config, Ends(), hosts=HOSTS, url="http://one/live.m3u8")
    yield replace(
        vod, name="keys that rotate, on the first of two pathways (hls)", asks=("one", "/keys/0.key"), avoids=("two",)
    )
    yield replace(
        vod,
        name="the first pathway is gone with its keys (hls)",
        rules=(_gone("one"), _gone("one", "/keys/*")),
        asks=("two", "/keys/0.key"),
    )
    yield replace(
        vod,
        name="the first pathway loses its keys alone (hls)",
        rules=(Rule("/keys/*", (Status(404),), repeats=True, host="one"),),
        asks=("one",),
    )
    yield replace(
        vod,
        name="no pathway has the keys (hls)",
        expect=Fails(("key",), ("404",)),
        rules=(Rule("/keys/*", (Status(404),), repeats=True),),
        asks=(),
    )


def _live() -> Iterator[Scenario]:
    steering = Steering(((0, ("a", "b")), (round((JOINED_S + 20) * SECOND), ("b", "a"))), ttl_s=5)
    live = Scenario(
        "",
        replace(LIVE, pathways=PATHWAYS, steering=steering),
        ENOUGH,
        hosts=HOSTS,
        from_s=BEGAN_S + JOINED_S,
        leave_s=WATCHED_S,
        max_requests=500,
        asks=("one", "two", SERVER),
    )
    yield replace(live, name="live, and the steering server moves viewers")
    yield replace(
        live,
        name="live, and the steering server is down",
        rules=(Rule(SERVER, (Refuse(),), repeats=True),),
        asks=("one",),
        avoids=("two",),
    )
    yield replace(
        live,
        name="live, and the steered host is gone",
        expect=WITH_STALL,
        rules=(Rule("/p*", (Refuse(),), repeats=True, host="two"),),
    )
    cloned = _wants("c", "a", clones=(Clone("a", "c", "three"),))
    yield replace(
        live, name="live on a clone", config=replace(LIVE, pathways=PATHWAYS, steering=cloned), asks=("three",)
    )
    yield replace(
        live,
        name="live, and the other pathway is behind",
        expect=WITH_STALL,
        rules=(Rule("*.m4s", (Status(404), None), host="two", from_us=20 * SECOND),),
    )


def steering_scenarios() -> tuple[Scenario, ...]:
    """All of them."""
    made = [*_on_demand(), *_live()]
    return (*(both for scenario in made for both in in_both(scenario)), *_elsewhere(), *_encrypted())
