"""MPEG Common Encryption: the samples of fragmented MP4, by the four schemes `cenc`, `cens`, `cbc1` and `cbcs`.

Source: ISO/IEC 23001-7 9 and 10. What a sample is encrypted with is read in cushion_player.boxes.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from cushion_player.boxes.encryption import SampleEncryption
from cushion_player.crypt.aes import BLOCK_BYTES, cbc_decrypt, ctr_decrypt
from cushion_player.crypt.keyring import find_key, named
from cushion_player.errors import DecodeError


class SampleDecryptor:
    """Deciphers samples with a set of keys by key id; one object serves any number of tracks and key changes."""

    __slots__ = ("_keys",)

    def __init__(self, keys: Mapping[bytes, bytes]) -> None:
        self._keys = keys

    def __repr__(self) -> str:
        return f"<SampleDecryptor for {', '.join(named(key_id) for key_id in self._keys) or 'nothing'}>"

    def decrypt(self, sample: bytes | bytearray | memoryview, encryption: SampleEncryption) -> bytes | bytearray:
        """The sample in the clear, of the same length.

        Raises KeyUnavailable when the key is not there, DecodeError when the subsamples do not fit the sample.
        """
        cipher = encryption.cipher
        key = find_key(self._keys, cipher.key_id)
        view = memoryview(sample)
        size = len(view)
        iv, subsamples = encryption.iv, encryption.subsamples
        if not subsamples:
            spans = [(0, size)]
        elif len(subsamples) == 1:
            clear, protected = subsamples[0]
            spans = [(clear, clear + protected)]
            if clear + protected > size:
                raise _misfit(clear + protected, size)
        else:
            spans, at = [], 0
            for clear, protected in subsamples:
                at += clear + protected
                if protected:
                    spans.append((at - protected, at))
            if at > size:
                raise _misfit(at, size)
        scheme = cipher.scheme
        if scheme == "cenc":
            return _all_of(view, spans, key, iv)
        if scheme == "cbc1":
            return _blocks_of(view, spans, key, iv)
        if scheme == "cens":
            return _counted_pattern(view, spans, key, iv, cipher.crypt_blocks, cipher.skip_blocks)
        return _chained_pattern(view, spans, key, iv, cipher.crypt_blocks, cipher.skip_blocks)


def _misfit(claimed: int, size: int) -> DecodeError:
    return DecodeError(f"a sample of {size} bytes has subsamples of {claimed} bytes: it is truncated")


_Spans = list[tuple[int, int]]
"""The encrypted ranges of a sample, in order."""


def _all_of(view: memoryview, spans: _Spans, key: bytes, iv: bytes) -> bytes | bytearray:
    """Every encrypted byte by one counter that runs on over the subsamples."""
    if len(spans) == 1:
        start, end = spans[0]
        deciphered = ctr_decrypt(key, iv, view[start:end])
        return b"".join((view[:start], deciphered, view[end:])) if end - start < len(view) else deciphered
    deciphered = ctr_decrypt(key, iv, b"".join([view[start:end] for start, end in spans]))
    return _put_back(view, spans, deciphered)


def _blocks_of(view: memoryview, spans: _Spans, key: bytes, iv: bytes) -> bytearray:
    """Every whole block by one chain that runs on over the subsamples; what is left of each stays clear."""
    whole = [(start, end - (end - start) % BLOCK_BYTES) for start, end in spans]
    return _put_back(view, whole, cbc_decrypt(key, _wide(iv), b"".join([view[start:end] for start, end in whole])))


def _put_back(view: memoryview, spans: _Spans, deciphered: bytes) -> bytearray:
    out = bytearray(view)
    at = 0
    for start, end in spans:
        out[start:end] = deciphered[at : at + end - start]
        at += end - start
    return out


def _chained_pattern(view: memoryview, spans: _Spans, key: bytes, iv: bytes, crypt: int, skip: int) -> bytearray:
    """In each subsample, a chain begun anew with the vector runs over the blocks that the pattern picks."""
    out = bytearray(view)
    iv = _wide(iv)
    for start, end in spans:
        picked = _pick(end - start, crypt, skip)
        if picked is None:
            end -= (end - start) % BLOCK_BYTES
            if end > start:
                out[start:end] = cbc_decrypt(key, iv, view[start:end])
        elif len(picked):
            blocks = np.frombuffer(out, np.uint8, BLOCK_BYTES * (int(picked[-1]) + 1), start).reshape(-1, BLOCK_BYTES)
            deciphered = cbc_decrypt(key, iv, blocks[picked].tobytes())
            blocks[picked] = np.frombuffer(deciphered, np.uint8).reshape(-1, BLOCK_BYTES)
    return out


def _counted_pattern(view: memoryview, spans: _Spans, key: bytes, iv: bytes, crypt: int, skip: int) -> bytearray:
    """The pattern begins anew in each subsample; one counter runs on over the blocks that it picks."""
    picked: list[tuple[int, int]] = []
    for start, end in spans:
        blocks = _pick(end - start, crypt, skip)
        if blocks is None:
            picked.append((start, end - (end - start) % BLOCK_BYTES))
        else:
            picked += [(start + BLOCK_BYTES * int(block), start + BLOCK_BYTES * (int(block) + 1)) for block in blocks]
    deciphered = ctr_decrypt(key, iv, b"".join([view[start:end] for start, end in picked]))
    return _put_back(view, picked, deciphered)


def _pick(size: int, crypt: int, skip: int) -> np.ndarray[tuple[int], np.dtype[np.int64]] | None:
    """Which blocks of `size` bytes a pattern encrypts, as indices; None for all of them.

    Of the last pattern, they are encrypted only if all crypt_blocks of it are there (23001-7 9.6).
    """
    if not skip or not crypt:
        return None
    whole = size // BLOCK_BYTES
    n_runs = (whole + skip) // (crypt + skip)
    return (np.arange(n_runs)[:, None] * (crypt + skip) + np.arange(crypt)).ravel()


def _wide(iv: bytes) -> bytes:
    return iv.ljust(BLOCK_BYTES, b"\0")
