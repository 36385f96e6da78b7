"""The home tab: what the channels of the workspace get, the watch keywords, how the sources are. Pure: an overview in, a view out."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence

from bot.domain.entries import SourceState
from bot.domain.health import Health
from bot.domain.subscriptions import Subscription
from bot.domain.watch import Effect, WatchKeyword
from bot.ports import StatusReport
from handlers.overview import Facts, Overview
from handlers.slack import elements as e
from handlers.slack.elements import Brick

MAX_VIEW_BLOCKS = 100  # https://docs.slack.dev/reference/views/home-tab-views
MAX_SUBSCRIPTIONS, MAX_KEYWORDS, MAX_SOURCES = 16, 16, 20
MAX_FACT, MAX_PROBLEM = 300, 200
DO = "home:"  # begins the action_id of the buttons here
SUBSCRIBE, EDIT, UNSUBSCRIBE, ADD, CHANGE, REMOVE = "subscribe", "edit", "unsubscribe", "add", "change", "remove"
_SAYS = {Effect.WATCH: "looks closer", Effect.MUTE: "never alerted", Effect.ONLY: "narrows "}
_UNTOLD = {"Topics": "all", "Countries": "all"}


def home_view(overview: Overview, *, admin: bool, admin_of_all: bool) -> Brick:
    """Return the view; with buttons for an admin of the channels, and of what is everybody's. What is left out is counted."""
    blocks = [*_subscriptions(overview, admin), *_keywords(overview, admin, admin_of_all), *_sources(overview.status)]
    return {"type": "home", "blocks": [*blocks, e.context_plain(_figures(overview.status))]}


def _subscriptions(overview: Overview, admin: bool) -> list[Brick]:
    shown = overview.subscriptions[:MAX_SUBSCRIPTIONS]
    rows = [brick for s, facts in shown for brick in _subscription(s, facts, admin)]
    none = "No channel is subscribed yet. In the channel that is to be told: /attache subscribe"
    offer = [e.button("Subscribe a channel", f"{DO}{SUBSCRIBE}", SUBSCRIBE)] if admin else []
    return [e.header("Subscriptions"), *rows, *_rest(overview.subscriptions, shown, none), *e.actions(offer)]


def _subscription(subscription: Subscription, facts: Facts, admin: bool) -> list[Brick]:
    address = subscription.destination.address
    told = [f"{name}: {value}" for name, value in facts if _UNTOLD.get(name) != value]
    about = e.text(" · ".join(told), MAX_FACT)
    row = e.rich(e.section([*e.channel(address), *([e.own("\n"), *about] if about else [])]))
    sure = e.confirmed("Unsubscribe?", "This channel gets no more alerts.", "Unsubscribe")
    buttons = [
        e.button("Edit", f"{DO}{EDIT}", address),
        e.button("Unsubscribe", f"{DO}{UNSUBSCRIBE}", address, style="danger", confirm=sure),
    ]
    return [*row, *e.actions(buttons if admin else [])]


def _keywords(overview: Overview, admin: bool, admin_of_all: bool) -> list[Brick]:
    shown = overview.keywords[-MAX_KEYWORDS:]
    rows = [brick for k in shown for brick in _keyword(k, admin if k.channel else admin_of_all)]
    offer = [e.button("Add a keyword", f"{DO}{ADD}", ADD)] if admin_of_all else []
    return [e.header("Watch keywords"), *rows, *_rest(overview.keywords, shown, "None yet."), *e.actions(offer)]


def _keyword(keyword: WatchKeyword, admin: bool) -> list[Brick]:
    where = e.channel(keyword.channel.partition(":")[2]) if keyword.channel else []
    surface, _, person = keyword.added_by.partition(":")
    by = e.user(person) if surface == "slack" else e.text(keyword.added_by, 80)
    term = e.text(keyword.term, 400, style="code")
    row = e.rich(
        e.section([*term, e.own(f"\n{_SAYS[keyword.effect]}"), *where, e.own(" · added by "), *by, e.own(" · "), e.date(keyword.added_at)])
    )
    name = name_of(keyword)
    sure = e.confirmed("Remove this keyword?", "It can be taken back with: /attache watch undo", "Remove")
    buttons = [e.button("Edit", f"{DO}{CHANGE}", name), e.button("Remove", f"{DO}{REMOVE}", name, style="danger", confirm=sure)]
    return [*row, *e.actions(buttons if admin else [])]


def name_of(keyword: WatchKeyword) -> str:
    """Return what a button knows a keyword by: enough to find it again, at most 2,000 characters."""
    return json.dumps([keyword.effect, keyword.channel, keyword.term], ensure_ascii=False)


def named(name: str, keywords: Iterable[WatchKeyword]) -> WatchKeyword | None:
    """Return the keyword that a button knows; None where it was removed meanwhile."""
    return next((k for k in keywords if name_of(k) == name), None)


def _sources(status: StatusReport) -> list[Brick]:
    ill = [s for s in status.sources if s.health != Health.OK]
    counts = {health: sum(s.health == health for s in status.sources) for health in Health}
    said = ", ".join(f"{count} {str(health).replace('_', ' ')}" for health, count in counts.items() if count) or "none was read yet"
    shown = ill[:MAX_SOURCES]
    rows = e.rich(e.bullets([_source(s) for s in shown]))
    return [e.header("Sources"), *e.rich(e.section([e.own(said)])), *rows, *_rest(ill, shown, "")]


def _source(source: SourceState) -> Brick:
    problem = f": {source.problem}" if source.problem else ""
    words = f"{str(source.health).replace('_', ' ')}{problem}"
    return e.section([*e.text(source.name, 80, style="bold", after=" "), *e.text(words, MAX_PROBLEM)])[0]


def _rest(rows: Sequence[object], shown: Sequence[object], none: str) -> list[Brick]:
    if not rows:
        return [e.context_plain(none)] if none else []
    left = len(rows) - len(shown)
    return [e.context_plain(f"{left} more are not shown here.")] if left else []


def _figures(status: StatusReport) -> str:
    waiting = f", {status.pending} on their way" if status.pending else ""
    failed = f", {status.failed} failed" if status.failed else ""
    return f"{status.entries} entries, {status.developments} developments, {status.alerts} alerts{waiting}{failed}. All commands: /attache help"
