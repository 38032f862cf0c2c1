"""AES in the two modes media use, over the `cryptography` package: the only place that knows its calls.

The package is imported at the first use: that costs 8 ms, which playback in the clear need not pay.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from cushion_player.errors import DecodeError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers import Cipher
    from cryptography.hazmat.primitives.ciphers.algorithms import AES
    from cryptography.hazmat.primitives.ciphers.modes import CBC, CTR

BLOCK_BYTES = 16
_COUNTER_HALF = 1 << 64


def cbc_decrypt(key: bytes, iv: bytes, data: bytes | memoryview) -> bytes:
    """Whole blocks deciphered, padding and all. len(data) is a multiple of 16, len(iv) is 16."""
    cipher, aes, cbc, _ = _package()
    return cipher(aes(key), cbc(iv)).decryptor().update(data)


def ctr_decrypt(key: bytes, iv: bytes, data: bytes | memoryview) -> bytes:
    """Data of any length under the counter of Common Encryption (23001-7 9.3): its upper 8 bytes stay as they are.

    iv: 8 bytes (the counter begins at 0) or 16.
    """
    cipher, aes, _, ctr = _package()
    counter = iv.ljust(BLOCK_BYTES, b"\0")
    blocks_left = _COUNTER_HALF - int.from_bytes(counter[8:], "big")
    if len(data) <= blocks_left * BLOCK_BYTES:
        return cipher(aes(key), ctr(counter)).decryptor().update(data)
    split = blocks_left * BLOCK_BYTES  # the package's counter would carry into the upper half
    before = cipher(aes(key), ctr(counter)).decryptor().update(data[:split])
    return before + cipher(aes(key), ctr(counter[:8] + bytes(8))).decryptor().update(data[split:])


@cache
def _package() -> tuple[type[Cipher[CBC | CTR]], type[AES], type[CBC], type[CTR]]:
    from cryptography.hazmat.primitives.ciphers import Cipher
    from cryptography.hazmat.primitives.ciphers.algorithms import AES
    from cryptography.hazmat.primitives.ciphers.modes import CBC, CTR

    return Cipher, AES, CBC, CTR


def without_padding(data: bytes, what: str) -> bytes:
    """Take off PKCS7 padding (RFC 5652 6.3). Raises DecodeError, saying of `what`, when there is none."""
    count = data[-1] if data else 0
    if not 1 <= count <= BLOCK_BYTES or data[-count:] != bytes([count]) * count:
        raise DecodeError(f"{what} does not decipher to anything padded: the key or the data is wrong")
    return data[:-count]
