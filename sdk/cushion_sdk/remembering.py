"""What the network gave last time, kept on the device, so that the next session begins at the right rung.

A session over a modelled link remembers under that link's name, and each server is a network of its own: what a server
on this machine gives says nothing about one far away. Files are not remembered at all.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import Final
from urllib.parse import urlsplit

from cushion_sdk.device import DeviceStores, StoreError, stored
from cushion_sdk.session_types import SessionOptions

log = logging.getLogger(__name__)

SETTING: Final = "throughput"
PARAMETER: Final = "initial_throughput_bps"


def network_of(url: str, trace: str) -> str | None:
    """The name of the network between us and the server of `url`, over `trace`; None when there is none."""
    parts = urlsplit(url)
    if parts.scheme.lower() not in ("http", "https"):
        return None
    return f"{trace} {parts.netloc.rpartition('@')[2].lower()}"


async def with_remembered(
    options: SessionOptions, stores: DeviceStores, network: str | None, now_ms: int
) -> SessionOptions:
    """The options with the throughput of last time as the rule's parameter, if it has one that nobody set."""
    if not options.remember_throughput or network is None or PARAMETER in options.rule_params:
        return options
    from cushion_abr.registry import rule_parameters
    from cushion_abr.remembered import decode, usable_bps

    if PARAMETER not in rule_parameters(options.rule):
        return options
    try:
        kept = await stored(stores.setting(SETTING))
    except StoreError:
        return options
    bps = usable_bps(decode(kept or ""), now_ms=now_ms, network=network)
    if bps <= 0.0:
        return options
    log.debug("starting with %.0f kb/s, as last time", bps / 1000)
    return replace(options, rule_params={**options.rule_params, PARAMETER: bps})


def remember(stores: DeviceStores, throughput_bps: float, network: str | None, now_ms: int) -> None:
    """Keep an estimate for the next session; nothing when there is none."""
    if throughput_bps <= 0.0 or network is None:
        return
    from cushion_abr.remembered import RememberedThroughput, encode

    stores.set_setting(SETTING, encode(RememberedThroughput(throughput_bps, now_ms, network)))
