"""The tree of errors. Foreign errors stop at the adapter that met them and go on as one of these, raised `from` the original.

AttacheError
├── SettingsError            a setting is missing or wrong: names the variable and the mend
├── UsageError               words of a command that make no sense: shown to their author only
│   └── FormError                fields of a form that make no sense: each with what would
├── NotAllowedError               the actor may not do this
├── SourceError              a source could not be read: the reason is shown in `sources`
├── ModelError               the classifier's files are missing or broken
└── DeliveryError            a message did not go out
    ├── TemporaryDeliveryError   try again, not before `retry_after`
    └── FinalDeliveryError       never try this destination again without a human
"""

from __future__ import annotations

from collections.abc import Mapping


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
