"""What the doctor found. Values only."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from bot.scrubbing import scrubbed


class State(StrEnum):
    """How a thing is: as it should be, worth a look, or broken."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing that was looked at. `said` is what was found, `mend` what to do about it. Neither holds a secret."""

    area: str
    name: str
    state: State
    said: str
    mend: str = ""


@dataclass(frozen=True)
class Area:
    """Makes the findings of one area."""

    name: str

    def ok(self, name: str, said: str) -> Finding:
        """All is well."""
        return Finding(area=self.name, name=name, state=State.OK, said=scrubbed(said))

    def warn(self, name: str, said: str, mend: str) -> Finding:
        """It works, but is worth a look."""
        return Finding(area=self.name, name=name, state=State.WARN, said=scrubbed(said), mend=mend)

    def fail(self, name: str, said: str, mend: str) -> Finding:
        """It does not work."""
        return Finding(area=self.name, name=name, state=State.FAIL, said=scrubbed(said), mend=mend)
