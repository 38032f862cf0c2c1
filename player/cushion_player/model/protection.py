"""How content is encrypted, as far as a manifest tells."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Protection:
    """One way to get the keys (DASH ContentProtection; HLS EXT-X-KEY or EXT-X-SESSION-KEY by KEYFORMAT).

    scheme: the DRM system's URI, `urn:mpeg:dash:mp4protection:2011`, or an HLS method.
    key_ids: of the default keys, lower-case hexadecimal without hyphens.
    pssh: whole `pssh` boxes. What may carry a token or a key stays out of its repr.
    """

    scheme: str
    value: str = ""
    """Of mp4protection: `cenc`, `cbcs` …"""
    key_ids: tuple[str, ...] = ()
    pssh: tuple[bytes, ...] = ()
    licence_urls: tuple[str, ...] = field(default=(), repr=False)
    robustness: str = ""
    key_format: str = ""
    uri: str = field(default="", repr=False)
    body: str = field(default="", repr=False)
    """Child elements as XML."""
