"""The dialogs: a channel's subscription, a watch keyword, and what came of them. Pure: values in, a view out, and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.domain.watch import MAX_EXPRESSION, Effect, WatchKeyword
from handlers.forms import SubscriptionForm
from handlers.replies import Reply
from handlers.slack import elements as e
from handlers.slack import inputs as i
from handlers.slack.elements import Brick
from handlers.slack.render import reply_message
from handlers.subscribing import MAX_CAP

SUBSCRIBE, KEYWORD = "attache:subscribe", "attache:keyword"
_TOPICS = {"trade": "Trade deals", "meeting": "Ministerial meetings"}
_CADENCES = {"realtime": "At once", "hourly": "A digest every hour", "daily": "A digest every day"}
_EFFECTS = {str(Effect.WATCH): "Look closer at what matches", str(Effect.MUTE): "Never alert on what matches"}
_VERBS = {Effect.WATCH: "add", Effect.MUTE: "mute", Effect.ONLY: "only"}
_EXAMPLE = '(tariff* OR "trade deal") country:India NOT golf'
_LANGUAGE = 'Words, "phrases", prefix*, country: person: topic: source:, AND OR NOT, parentheses.'


def subscription_modal(form: SubscriptionForm, channel: str, zone: str = "") -> Brick:
    """Return the dialog of a channel's subscription, filled as `form` is; without a channel it asks for one. `zone` is the person's own."""
    where = [_where("Alerts in ", channel)] if channel else [i.field("channel", "Channel", i.channel(), optional=False)]
    blocks = [*where, *_what(form), *_when(form, zone)]
    return i.modal(SUBSCRIBE, "Subscription", blocks, submit="Save", kept={"channel": channel})


def _what(form: SubscriptionForm) -> list[Brick]:
    return [
        i.field("topics", "Topics", i.ticks(_TOPICS, form.topics), hint="None ticked: both."),
        i.field(
            "parties", "Countries and blocs", i.line(form.parties, example="India, United States, EU"), hint="Any of them. Empty: all."
        ),
        i.field("only", "Only what matches", i.line(form.only, example=_EXAMPLE, limit=MAX_EXPRESSION), hint=_LANGUAGE),
        i.field("least", "Lowest importance", i.number(form.least, least="0", most="1", decimal=True), hint="From 0 to 1. Empty: all."),
    ]


def _when(form: SubscriptionForm, zone: str) -> list[Brick]:
    quiet = "Nothing is posted then; what came is in a digest afterwards."
    return [
        i.field("cadence", "When", i.choice(_CADENCES, form.cadence or "realtime"), optional=False),
        i.field("at", "Hour of the daily digest", i.hour(form.at)),
        i.field("quiet", "Quiet hours", i.line(form.quiet, example="22:00-07:00", limit=20), hint=quiet),
        i.field("zone", "Time zone", i.line(form.zone or zone, example="Europe/Berlin", limit=64), hint="Empty: UTC."),
        i.field(
            "cap",
            "Alerts an hour",
            i.number(form.cap, least="1", most=str(MAX_CAP), decimal=False),
            hint="The rest goes to a digest. Empty: all.",
        ),
    ]


def subscription_from(view: Mapping[str, Any]) -> tuple[str, SubscriptionForm]:
    """Return the channel, and the form as it was filled in."""
    values = i.filled(view)
    channel = str(values.pop("channel", "") or i.kept(view).get("channel") or "")
    topics = tuple(values.pop("topics", ()))
    known = {name: values[name] for name in SubscriptionForm.__dataclass_fields__ if name in values}
    return channel, SubscriptionForm(topics=topics, **known)


def keyword_modal(keyword: WatchKeyword | None = None) -> Brick:
    """Return the dialog of a watch keyword: the one that is there, or a new one."""
    term, effect = (keyword.term, keyword.effect) if keyword else ("", Effect.WATCH)
    blocks = [i.field("term", "Expression", i.line(term, example=_EXAMPLE, limit=MAX_EXPRESSION), hint=_LANGUAGE, optional=False)]
    if effect is Effect.ONLY and keyword:
        blocks.insert(0, _where("Narrows ", keyword.channel.partition(":")[2]))
    else:
        blocks.append(i.field("effect", "What it does", i.choice(_EFFECTS, str(effect)), optional=False))
    had = {"term": term, "effect": effect, "channel": keyword.channel} if keyword else {}
    return i.modal(KEYWORD, "Watch keyword", blocks, submit="Save", kept=had)


def keyword_from(view: Mapping[str, Any]) -> tuple[str, Effect, dict[str, str]]:
    """Return the expression, its effect, and the keyword that it stands in the place of (`term`, `effect`, `channel`), or nothing."""
    values, had = i.filled(view), {name: str(value) for name, value in i.kept(view).items()}
    effect = Effect(values.get("effect") or had.get("effect") or Effect.WATCH)
    return " ".join(str(values.get("term") or "").split()), effect, had


def line_adding(term: str, effect: Effect) -> str:
    """Return the command that adds a watch keyword."""
    return f"watch {_VERBS[effect]} {term}"


def told(reply: Reply) -> Brick:
    """Return a dialog that tells an answer."""
    title = "That did not work" if reply.error else "Done"
    return i.modal("", title, reply_message(reply)["blocks"])


def _where(words: str, channel: str) -> Brick:
    return e.rich(e.section([e.own(words), *e.channel(channel)]))[0]
