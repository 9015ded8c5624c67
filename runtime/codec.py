"""Payloads sealed before they leave a process of ours: what Temporal stores is readable with a key only.

AES-256-GCM with a random nonce of 96 bits for each payload. The id of the key stands beside the sealed
bytes and is bound to them, so that neither can be exchanged. One key seals; older ones still open, which
is how keys are rotated (docs/observability.md). A payload that was never sealed is passed on as it is: it is
from the time before the codec was switched on.
"""

import base64
import binascii
import os
import secrets
from collections.abc import Mapping, Sequence
from typing import Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from google.protobuf.message import DecodeError
from temporalio.api.common.v1 import Payload
from temporalio.converter import PayloadCodec

ENCODING = b"binary/encrypted"
KEY_ID = "encryption-key-id"
"""Names in a payload's metadata, as Temporal's own samples have them."""
KEY_BYTES = 32
_NONCE_BYTES = 12
_BOUND = b"fairlead payload 1:"


class CodecError(ValueError):
    """A payload cannot be opened, or a key is none. The text names the key's id, never a key or content.

    Raised while a task is taken up it fails that task alone, which Temporal repeats: the process waits
    for a worker that has the key.
    """


class CodecKeys(Protocol):
    """The keys of a firm, as its file says."""

    @property
    def active(self) -> str:
        """Id of the key that seals."""

    @property
    def keys(self) -> Mapping[str, str]:
        """Key id -> key, as `new_key` writes one."""


class SealingCodec(PayloadCodec):
    """Seals and opens payloads. Raises `CodecError` for keys that cannot be used."""

    def __init__(self, keys: CodecKeys) -> None:
        self._ciphers = {id: AESGCM(_key(id, text)) for id, text in keys.keys.items()}
        if keys.active not in self._ciphers:
            raise CodecError(f"the active codec key {keys.active!r} is not among the keys; add it")
        self._active = keys.active

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """See `temporalio.converter.PayloadCodec`."""
        return [self._seal(payload) for payload in payloads]

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """See `temporalio.converter.PayloadCodec`. Raises `CodecError`."""
        return [self._open(payload) for payload in payloads]

    def _seal(self, payload: Payload) -> Payload:
        nonce = os.urandom(_NONCE_BYTES)
        sealed = self._ciphers[self._active].encrypt(
            nonce, payload.SerializeToString(), _bound_to(self._active)
        )
        metadata = {"encoding": ENCODING, KEY_ID: self._active.encode()}
        return Payload(metadata=metadata, data=nonce + sealed)

    def _open(self, payload: Payload) -> Payload:
        if payload.metadata.get("encoding") != ENCODING:
            return payload
        id = payload.metadata.get(KEY_ID, b"").decode(errors="replace")
        cipher = self._ciphers.get(id)
        if cipher is None:
            raise CodecError(
                f"a payload is sealed with the key {id[:40]!r}, which this process does not have; "
                "add it to [codec.keys] of the firm's file and start again"
            )
        nonce, sealed = payload.data[:_NONCE_BYTES], payload.data[_NONCE_BYTES:]
        try:
            return Payload.FromString(cipher.decrypt(nonce, sealed, _bound_to(id)))
        except (InvalidTag, ValueError, DecodeError):
            raise CodecError(
                f"a payload sealed with the key {id!r} cannot be opened: it was altered, or the key under "
                "this id is another one; compare the key with the one it was sealed with"
            ) from None


def new_key() -> str:
    """A random key of 256 bits as text: what a reference under `[codec.keys]` has to stand for."""
    return base64.urlsafe_b64encode(secrets.token_bytes(KEY_BYTES)).decode()


def _key(id: str, text: str) -> bytes:
    try:
        key = base64.b64decode(text.strip(), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != KEY_BYTES:
        raise CodecError(
            f"the codec key {id!r} is not 32 bytes in base64; make one with `fairlead codec keygen`"
        )
    return key


def _bound_to(id: str) -> bytes:
    return _BOUND + id.encode()
