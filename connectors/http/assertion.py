"""Signing of JWT assertions with a private key (RFC 7515, RFC 7518)."""

from collections.abc import Mapping
from typing import Any, Literal

import jwt
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

Algorithm = Literal["RS256", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512"]


class Signer:
    """Signs claims with one private key, which stays inside.

    Raises `ValueError` when the PEM text is not a private key, or not one for the algorithm.
    """

    def __init__(self, private_key_pem: str, algorithm: Algorithm, key_id: str = "") -> None:
        self._key = _load(private_key_pem, algorithm)
        self._algorithm = algorithm
        self._headers = {"typ": "JWT"} | ({"kid": key_id} if key_id else {})

    def sign(self, claims: Mapping[str, Any]) -> str:
        """The compact JWT of `claims`."""
        return jwt.encode(dict(claims), self._key, algorithm=self._algorithm, headers=self._headers)


def _load(pem: str, algorithm: Algorithm) -> RSAPrivateKey | EllipticCurvePrivateKey:
    try:
        key = load_pem_private_key(pem.encode(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        # The cause may quote key material, so it is not passed on.
        raise ValueError("the private key is not an unencrypted PEM private key") from None
    if algorithm.startswith("ES"):
        if isinstance(key, EllipticCurvePrivateKey):
            return key
        raise ValueError(f"{algorithm} needs an elliptic-curve private key")
    if isinstance(key, RSAPrivateKey):
        return key
    raise ValueError(f"{algorithm} needs an RSA private key")
