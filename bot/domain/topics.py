"""The closed vocabularies of the field: topics, stages of a trade deal, statuses of a meeting."""

from __future__ import annotations

from enum import StrEnum


class Topic(StrEnum):
    """What kind of matter an entry reports on."""

    TRADE_DEAL = "trade_deal"
    MINISTERIAL_MEETING = "ministerial_meeting"


class Stage(StrEnum):
    """How far a trade deal has come."""

    PROPOSED = "proposed"
    NEGOTIATING = "negotiating"
    STALLED = "stalled"
    CONCLUDED = "concluded"
    SIGNED = "signed"
    RATIFIED = "ratified"
    IN_FORCE = "in_force"
    DISPUTE = "dispute"
    ENDED = "ended"
    OTHER = "other"


class Status(StrEnum):
    """Whether a meeting is ahead, was held (or is under way), or was called off."""

    PLANNED = "planned"
    HELD = "held"
    CANCELLED = "cancelled"
    OTHER = "other"
