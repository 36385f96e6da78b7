"""Alerts and replies as Block Kit messages. Pure: a value in, the arguments of chat.postMessage or of a response_url out."""

from __future__ import annotations

from collections.abc import Iterator

from bot.domain.alerts import Alert
from bot.domain.assessment import Person
from bot.domain.developments import Development
from bot.domain.text import cut_at_sentence
from bot.ports import Gazetteer
from handlers.replies import Button, Item, Reply
from handlers.showing import chips
from handlers.slack import elements as e
from handlers.slack.elements import Brick

MAX_HEADLINE, MAX_SUMMARY, MAX_NAME, MAX_PLACE, MAX_CHIP = 300, 900, 80, 80, 120
MAX_PARTIES, MAX_PEOPLE, MAX_SOURCES = 8, 6, 8
BODIES = (600, 400, 250, 120)  # lengths of an item's text, tried in turn until all items fit
MAX_FACTS, MAX_FACT, MAX_NOTE = 20, 400, 1_000
FALLBACK = 600  # characters of the text that notifications show; six times that, all escaped, stays below MAX_TEXT
ACTION = "attache:"  # begins the action_id of our buttons
RESERVE, BUTTONS = 400, 1_400  # kept free for the last line of a message, and for the row of buttons


def alert_message(alert: Alert, gazetteer: Gazetteer) -> Brick:
    """Return `text`, `blocks` and the unfurl flags of the message about `alert`; at most MAX_BLOCKS and MAX_SIZE."""
    development = alert.development
    blocks = [
        *_follow_up(alert),
        *e.rich(e.section(e.lines(_facts(development, gazetteer)))),
        *e.rich(e.section(e.text(cut_at_sentence(development.text, MAX_SUMMARY), MAX_SUMMARY))),
    ]
    blocks += _sources(development, e.MAX_SIZE - RESERVE - BUTTONS - e.size(blocks))
    blocks += [_reported(development), *e.actions([_button(button, development.development_id) for button in Button])]
    return message_of(_fallback(alert, gazetteer), blocks)


def reply_message(reply: Reply) -> Brick:
    """Return `text`, `blocks` and the unfurl flags of an answer; items that do not fit are counted, never dropped in silence."""
    title = f"⚠️ {reply.title}" if reply.error else reply.title
    note = e.text(cut_at_sentence(reply.note, MAX_NOTE), MAX_NOTE)
    blocks = [e.header(title), *e.rich([*e.section(_reply_facts(reply)), *(e.quoted(note) if reply.error else e.section(note))])]
    blocks += e.actions([_button(offer.button, offer.development_id) for offer in reply.offers])
    blocks[1:1] = _items(reply.items, e.MAX_SIZE - RESERVE - e.size(blocks))
    return message_of(e.mrkdwn(f"{title}. {reply.note}" if reply.note else title, FALLBACK * 6), blocks)


def _button(button: Button, development_id: str) -> Brick:
    sure = e.confirmed("Mute this matter?", "This channel hears no more of it.", "Mute") if button is Button.MUTE else None
    return e.button(button.label, f"{ACTION}{button}", development_id, confirm=sure)


def message_of(text: str, blocks: list[Brick]) -> Brick:
    """Return the arguments of a message that unfurls nothing."""
    return {"text": text or "Attaché", "blocks": blocks, "unfurl_links": False, "unfurl_media": False}


def _follow_up(alert: Alert) -> list[Brick]:
    earlier = e.harmless(alert.follow_up or "", MAX_HEADLINE)
    return [e.context_plain(f"↪ Follow-up to: {earlier}")] if earlier else []


def _facts(development: Development, gazetteer: Gazetteer) -> Iterator[list[Brick]]:
    yield e.link(development.headline, development.url, MAX_HEADLINE, bold=True) or [e.own("(no headline)", style="bold")]
    yield _chips(chips(development))
    yield [e.own(parties)] if (parties := _parties(development, gazetteer)) else []
    yield e.text(_people(development, gazetteer))
    yield e.text(_where_and_when(development))


def _chips(words: tuple[str, ...]) -> list[Brick]:
    found: list[Brick] = []
    for word in words:
        found += [*([e.own(" ")] if found else []), *e.text(word, MAX_CHIP, style="code")]
    return found


def _parties(development: Development, gazetteer: Gazetteer) -> str:
    """Flags and names; the flag is not cleaned, since those of regions are made of characters that do not show."""
    shown = development.parties[:MAX_PARTIES]
    names = [f"{gazetteer.flag(code)} {e.harmless(gazetteer.name(code), MAX_NAME)}".strip() for code in shown]
    return " – ".join(names) + _more(len(development.parties), MAX_PARTIES)


def _people(development: Development, gazetteer: Gazetteer) -> str:
    names = ", ".join(_person(p, gazetteer) for p in development.people[:MAX_PEOPLE])
    return names + _more(len(development.people), MAX_PEOPLE)


def _person(person: Person, gazetteer: Gazetteer) -> str:
    details = [person.office or "", gazetteer.name(person.country) if person.country else ""]
    about = ", ".join(e.harmless(d, MAX_NAME) for d in details if d)
    return e.harmless(person.name, MAX_NAME) + (f" ({about})" if about else "")


def _where_and_when(development: Development) -> str:
    when = f"{development.when.day} {development.when:%B %Y}" if development.when else ""
    return ", ".join(filter(None, [e.harmless(development.place or "", MAX_PLACE), when]))


def _more(count: int, shown: int) -> str:
    return f" and {count - shown} more" if count > shown else ""


def _sources(development: Development, room: int) -> list[Brick]:
    """The outlets, each once and linked, in order of arrival, as far as `room` goes."""
    first = development.first_reports
    if not first:
        return []
    found, shown = [e.own(f"{len(first)} source{'s' if len(first) != 1 else ''}: ")], 0
    for coverage in first[:MAX_SOURCES]:
        linked = e.link(coverage.outlet, coverage.url, MAX_NAME) or [e.own("unnamed")]
        if e.size(found) + e.size(linked) > room:
            break
        found += [*([e.own(", ")] if shown else []), *linked]
        shown += 1
    if more := _more(len(first), shown):
        found.append(e.own(more))
    return e.rich(e.section(found))


def _reported(development: Development) -> Brick:
    return e.context(f"First reported {e.date_mrkdwn(development.first_published)} · {e.mrkdwn(development.development_id, MAX_CHIP)}")


def _fallback(alert: Alert, gazetteer: Gazetteer) -> str:
    development = alert.development
    about = " · ".join([*chips(development), *map(gazetteer.name, development.parties[:MAX_PARTIES])])
    head = f"{'Follow-up: ' if alert.follow_up else ''}{e.harmless(development.headline, MAX_HEADLINE)}"
    text = e.harmless(f"{head}{f' ({about})' if about else ''}. {development.text}", e.MAX_TEXT)
    return e.mrkdwn(cut_at_sentence(text, FALLBACK), FALLBACK * 6)


def _items(items: tuple[Item, ...], room: int) -> list[Brick]:
    """The items as a list: with as much of their texts as fits, else without; the count of those left out comes last."""
    heads = [item_section(item, 0) for item in items]
    while heads and e.size(heads) > room:
        heads.pop()
    left = len(items) - len(heads)
    if not left:
        tries = ([item_section(item, body) for item in items] for body in BODIES)
        heads = next((bullets for bullets in tries if e.size(bullets) <= room), heads)
    more = [e.context_plain(f"{left} more than fit here: ask for fewer, or more precisely.")] if left else []
    return [*e.rich(e.bullets(heads)), *more]


def item_section(item: Item, body: int) -> Brick:
    """Return one thing of a reply, with at most `body` characters of its text."""
    head = e.link(item.title, item.url, MAX_HEADLINE, bold=True) or [e.own("(no title)", style="bold")]
    shown = list(filter(None, (e.harmless(chip, MAX_CHIP) for chip in item.chips)))
    about = [e.own(" · ".join(shown))] if shown else []
    if item.when:
        about += [*([e.own(" · ")] if about else []), e.date(item.when)]
    return e.section(e.lines([head, about, e.text(cut_at_sentence(item.body, body), body) if body else []]))[0]


def _reply_facts(reply: Reply) -> list[Brick]:
    shown = reply.facts[:MAX_FACTS]
    return e.lines([*e.text(name, MAX_NAME, style="bold", after=": "), *e.text(value, MAX_FACT)] for name, value in shown)
