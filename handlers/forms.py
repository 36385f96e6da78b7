"""The form of a subscription: what a person typed or chose, as text, before anybody looked whether it makes sense."""

from __future__ import annotations

from dataclasses import dataclass

from bot.domain.subscriptions import Cadence, Subscription
from bot.domain.topics import Topic

# How a topic is written in a command, the shortest first.
TOPIC_WORDS = {
    "trade": Topic.TRADE_DEAL,
    "meeting": Topic.MINISTERIAL_MEETING,
    **dict.fromkeys(("deal", "deals", "trade_deal", "trade_deals"), Topic.TRADE_DEAL),
    **dict.fromkeys(("meetings", "ministerial", "ministers", "ministerial_meeting", "ministerial_meetings"), Topic.MINISTERIAL_MEETING),
}


@dataclass(frozen=True, kw_only=True)
class SubscriptionForm:
    """The fields by name. All are text as typed; an empty one means: no condition, or the usual.

    `topics` are words such as `trade`; `parties` names or codes of countries; `only` a watch expression; `least` 0 to 1; `cadence`
    `realtime`, `hourly` or `daily`, `at` the hour of a daily digest; `quiet` such as `22:00-07:00`; `zone` such as `Europe/Berlin`; `cap` a count an hour.
    """

    topics: tuple[str, ...] = ()
    parties: str = ""
    only: str = ""
    least: str = ""
    cadence: str = ""
    at: str = ""
    quiet: str = ""
    zone: str = ""
    cap: str = ""


def form_of(subscription: Subscription) -> SubscriptionForm:
    """Return the form that gives the subscription again."""
    s = subscription
    return SubscriptionForm(
        topics=tuple(next(word for word, topic in TOPIC_WORDS.items() if topic is t) for t in s.topics),
        parties=" ".join(s.parties),
        only=s.expression,
        least=f"{s.least:g}" if s.least else "",
        cadence=s.cadence,
        at=f"{s.at:%H:%M}" if s.cadence is Cadence.DAILY else "",
        quiet=f"{s.quiet.start:%H:%M}-{s.quiet.end:%H:%M}" if s.quiet else "",
        zone=s.zone,
        cap=str(s.cap) if s.cap else "",
    )


def line_of(form: SubscriptionForm) -> str:
    """Return the command that says the same."""
    words = [*form.topics, *([form.parties] if form.parties else []), *([f"{form.cadence} {form.at}".strip()] if form.cadence else [])]
    words += [f"{name} {value}" for name in ("quiet", "zone", "least", "cap") if (value := getattr(form, name))]
    quote = "'" if '"' in form.only else '"'
    return " ".join(["subscribe", *words, *([f"only {quote}{form.only}{quote}"] if form.only else [])])
