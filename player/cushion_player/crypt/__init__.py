"""Deciphers media in memory: whole segments, the samples of fragmented MP4, and HLS SAMPLE-AES.

    clear = decrypt_segment(key, key_bytes, data, number)   a segment as an HLS playlist says (AES-128, SAMPLE-AES)
    samples = SampleDecryptor(keys)                         MPEG Common Encryption, sample by sample

Pure: no I/O, no clock. Where keys come from is for cushion_player.keys to say. AES itself is done by the `cryptography`
package, which nothing else here imports. No key ever enters a message or a repr.
"""

from __future__ import annotations

from cushion_player.crypt.cenc import SampleDecryptor
from cushion_player.crypt.keyring import NO_KEYS, KeyRing
from cushion_player.crypt.segments import decrypt_segment

__all__ = ["NO_KEYS", "KeyRing", "SampleDecryptor", "decrypt_segment"]
