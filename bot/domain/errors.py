"""The tree of errors. Foreign errors stop at the adapter that met them and go on as one of these, raised `from` the original.

AttacheError
├── SettingsError            a setting is missing or wrong: names the variable and the mend
├── UsageError               words of a command that make no sense: shown to their author only
│   └── FormError                fields of a form that make no sense: each with what would
├── NotAllowedError               the actor may not do this
├── SourceError              a source could not be read: the reason is shown in `sources`
├── ModelError               the classifier's files are missing or broken
├── StoreError               the store cannot be used for now: says how it is mended; what failed is done again
└── DeliveryError            a message did not go out
    ├── TemporaryDeliveryError   try again, not before `retry_after`
    └── FinalDeliveryError       never try this destination again without a human
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum


class AttacheError(Exception):
    """Anything that Attaché says went wrong. `str(error)` is one line fit for a user and holds no secret."""


class SettingsError(AttacheError):
    """A setting is missing or wrong."""

    def __init__(self, variable: str, mend: str) -> None:
        super().__init__(f"{variable}: {mend}")
        self.variable = variable


class UsageError(AttacheError):
    """The words of a command make no sense; the text says what would."""


class FormError(UsageError):
    """Fields of a form make no sense; `problems` says for each by its name what would."""

    def __init__(self, problems: Mapping[str, str]) -> None:
        super().__init__(" ".join(problems.values()))
        self.problems = dict(problems)


class NotAllowedError(AttacheError):
    """The actor may not run this use case."""


class SourceError(AttacheError):
    """A source could not be read. `reason` is a short stable word for tables, the text is for people."""

    def __init__(self, reason: str, detail: str, retry_after: float | None = None) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.retry_after = retry_after


class ModelError(AttacheError):
    """The classifier's files are missing or broken."""


class Trouble(StrEnum):
    """What keeps a store from working. None of it is for ever, and none passes by being ignored."""

    FULL = "full"
    READ_ONLY = "read_only"
    DISK = "disk"
    BUSY = "busy"
    AWAY = "away"


_MENDS = {
    Trouble.FULL: "the database's disk is full; free some space, or give it a larger disk",
    Trouble.READ_ONLY: "the database takes no writes; let this process write the file and its folder, or name a server that is no standby",
    Trouble.DISK: "the database's disk fails; see whether it is full, over its quota, or broken",
    Trouble.BUSY: "another program keeps the database locked; end it",
    Trouble.AWAY: "the database does not answer; see that its server runs and can be reached",
}


class StoreError(AttacheError):
    """The store cannot be used for now. Nothing of what was being written is kept; it is to be done again, after a while."""

    def __init__(self, trouble: Trouble) -> None:
        super().__init__(f"{_MENDS[trouble]}. Everything waits meanwhile, and goes on by itself.")
        self.trouble = trouble


class DeliveryError(AttacheError):
    """A message did not go out."""


class TemporaryDeliveryError(DeliveryError):
    """The platform may take the message later: not before `retry_after` seconds, where it said so."""

    def __init__(self, text: str, retry_after: float | None = None) -> None:
        super().__init__(text)
        self.retry_after = retry_after


class FinalDeliveryError(DeliveryError):
    """The platform will not take this message however often it is tried; `code` is the platform's own word."""

    def __init__(self, text: str, code: str) -> None:
        super().__init__(text)
        self.code = code
