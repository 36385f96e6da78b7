"""Sealing of small secrets with keys from the settings, so that a copy of the database gives none away. Knows nothing of what it seals."""

from __future__ import annotations

from collections.abc import Sequence

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from pydantic import SecretStr

from bot.domain.errors import SettingsError

VARIABLE = "ATTACHE_SECRET_KEY"
MEND = "expected a key as Fernet.generate_key() makes it, or several with commas between, the newest first: see the README"


class Seal:
    """Seals with the first key, opens with any: so a key is changed by putting a new one in front."""

    def __init__(self, keys: Sequence[SecretStr]) -> None:
        """Raises SettingsError where there is no key, or one is none."""
        try:
            self._keys = MultiFernet([Fernet(key.get_secret_value()) for key in keys])
        except ValueError:
            raise SettingsError(VARIABLE, MEND) from None  # the original may repeat the key

    def close(self, text: str) -> bytes:
        """Return `text` sealed, with the time at which it was."""
        return self._keys.encrypt(text.encode())

    def open(self, sealed: bytes, seconds: int | None = None) -> str | None:
        """Return what was sealed, at most `seconds` ago where they are given; None where no key opens it."""
        try:
            return self._keys.decrypt(sealed, ttl=seconds).decode()
        except InvalidToken:
            return None
