"""Alerts and replies as the payloads that go over the wire."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.alerts import Alert
from bot.domain.assessment import Person
from bot.domain.developments import Coverage, SummarySentence
from bot.domain.errors import UsageError
from bot.domain.topics import Status, Topic
from handlers.commands import failure
from handlers.discord.render import alert_embed, pointer_embed, thread_name
from handlers.discord.replies import reply_embeds, reply_files
from handlers.replies import Attachment, Item, Reply
from tests.discord.kit import NOW, Atlas, development
from tests.discord.limits import problem_with
from tests.discord.test_markdown import HOSTILE, STEADY

STAMP = f"<t:{int(NOW.timestamp())}:R>"
OURS = re.compile(r"<t:\d+:R>|`[a-zA-Z ]+`|\*\*|\]\(https://[^()\s]*\)|\[")  # the marks that the renderer itself sets


def alert(follow_up: str | None = None, **changes: object) -> Alert:
    return Alert(development=development(**changes), raised=NOW, follow_up=follow_up)  # type: ignore[arg-type]  # fields of the class


def test_an_alert_says_what_who_where_when_and_by_whom() -> None:
    assert alert_embed(alert("Arlandia and Borduria agree on timber"), Atlas()).to_dict() == {
        "type": "rich",
        "flags": 0,
        "title": "Arlandia and Borduria sign pact on timber",
        "url": "https://gazette.example/timber",
        "color": 0x2E7D32,
        "description": (
            "`Trade deal` `signed`\n"
            "🅰️ Arlandia · 🅱️ Borduria\n"
            "The two trade ministers signed the timber pact on Tuesday. Tariffs on sawn wood fall to zero within four years.\n"
            "2 sources: [The Gazette](https://gazette.example/timber) · [The Herald](https://herald.example/wood?a=1&b=%282%29)"
            f" — {STAMP}\n"
            "↳ Follow-up to: Arlandia and Borduria agree on timber"
        ),
        "fields": [
            {"name": "People", "value": "🅰️ Ada Vane, Trade Minister\nOskar Brill", "inline": True},
            {"name": "Where and when", "value": "Port Amber · 3 March 2026", "inline": True},
        ],
    }


def test_a_bare_alert_has_no_empty_lines_or_fields() -> None:
    bare = alert(
        topics=(Topic.MINISTERIAL_MEETING,), stage=None, status=Status.PLANNED, parties=(), people=(), place=None, when=None, summary=(),
        coverage=development().coverage[:1], url="mailto:x@y.example",
    )  # fmt: skip
    assert alert_embed(bare, Atlas()).to_dict() == {
        "type": "rich",
        "flags": 0,
        "title": "Arlandia and Borduria sign pact on timber",
        "color": 0x1565C0,
        "description": f"`Ministerial meeting` `planned`\n1 source: [The Gazette](https://gazette.example/timber) — {STAMP}",
    }


def test_an_alert_of_extremes_stays_within_the_limits() -> None:
    long = "Word " * 400
    many = tuple(
        Coverage(outlet=f"Outlet *{n}* {long}", url=f"https://a.example/{'x' * 900}{n}", title=long, published=NOW) for n in range(99)
    )
    people = tuple(Person(name=long, office=long) for _ in range(50))
    summary = tuple(SummarySentence(text="A_sentence_with_marks. " * 9, url="https://a.example/") for _ in range(9))
    embed = alert_embed(
        alert(long, headline=long, coverage=many, people=people, place=long, parties=("ARL", "BOR") * 40, summary=summary), Atlas()
    )
    assert problem_with({"embeds": [embed.to_dict()]}) is None
    assert "99 sources: " in (embed.description or "")
    assert re.search(r"… and \d+ more", embed.description or "")


@settings(STEADY, max_examples=60)
@given(HOSTILE, HOSTILE, HOSTILE)
def test_hostile_words_leave_only_our_own_marks(headline: str, outlet: str, sentence: str) -> None:
    coverage = (Coverage(outlet=outlet, url="https://a.example/x(y)", title=headline, published=NOW),)
    summary = (SummarySentence(text=sentence, url="https://a.example/"),)
    people = (Person(name=outlet, office=headline),)
    hostile = alert(sentence, headline=headline, coverage=coverage, summary=summary, people=people, place=outlet, parties=(outlet,))
    payload = alert_embed(hostile, Atlas()).to_dict()
    assert problem_with({"embeds": [payload]}) is None
    for text in (payload["title"], payload["description"], *(f["value"] for f in payload.get("fields", []))):
        foreign = OURS.sub("¤", re.sub(r"\\[^0-9A-Za-z\s]", "¤", text))
        assert not re.search(r"[<>`\[\]*_~|]|://|@everyone|@here", foreign, re.IGNORECASE)


def test_a_reply_lists_linked_items_with_chips_and_time() -> None:
    items = (
        Item(title="A [pact]", url="https://a.example/1", when=NOW, chips=("Trade deal", "in force", "d1"), body="It holds. It_pays."),
        Item(title="steel", when=NOW, chips=("added by discord:1",)),
        Item(title="bare", url="javascript:x"),
    )
    assert [e.to_dict() for e in reply_embeds(Reply(title="Latest", items=items, facts=(("Entries", "12"),), note="That is all."))] == [
        {
            "type": "rich",
            "flags": 0,
            "title": "Latest",
            "color": 0x546E7A,
            "description": (
                f"**[A (pact)](https://a.example/1)**\nTrade deal · in force · d1 · {STAMP}\nIt holds. It\\_pays.\n\n"
                f"**steel**\nadded by discord:1 · {STAMP}\n\n**bare**\n\nThat is all."
            ),
            "fields": [{"name": "Entries", "value": "12", "inline": False}],
        }
    ]


def test_an_error_looks_different() -> None:
    wrong, right = reply_embeds(failure(UsageError("Usage: search WORDS")))[0], reply_embeds(Reply(title="Status"))[0]
    assert wrong.title == "⚠️ That did not work"
    assert wrong.description == "Usage: search WORDS"
    assert wrong.colour != right.colour


def test_twenty_long_items_keep_their_titles_and_lose_their_bodies() -> None:
    items = tuple(
        Item(
            title=f"Item {n} " + "word " * 12,
            url=f"https://a.example/{n}",
            when=NOW,
            chips=("Trade deal", "India"),
            body="A long body. " * 60,
        )
        for n in range(20)
    )
    embeds = reply_embeds(Reply(title="Latest", items=items))
    text = "\n".join(e.description or "" for e in embeds)
    assert problem_with({"embeds": [e.to_dict() for e in embeds]}) is None
    assert all(f"Item {n} " in text for n in range(20))


@settings(STEADY, max_examples=40)
@given(
    st.lists(
        st.builds(Item, title=HOSTILE, url=st.none() | st.just("https://a.example/" + "y" * 900), chips=st.tuples(HOSTILE), body=HOSTILE),
        max_size=25,
    ),
    st.lists(st.tuples(HOSTILE, HOSTILE.map(lambda t: t * 30)), max_size=30),
    HOSTILE.map(lambda t: t * 30),
)
def test_any_reply_is_one_that_discord_takes(items: list[Item], facts: list[tuple[str, str]], note: str) -> None:
    embeds = reply_embeds(Reply(title=note, items=tuple(items), facts=tuple(facts), note=note))
    payload = {"embeds": [e.to_dict() for e in embeds]}
    assert problem_with(payload) is None
    assert "@everyone" not in json.dumps(payload)


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({}, "Arlandia – Borduria: trade deal"),
        ({"parties": ()}, "Arlandia and Borduria sign pact on timber"),
        ({"parties": (), "headline": "@everyone " + "word " * 40}, "＠everyone " + "word " * 17 + "word…"),
    ],
)
def test_a_thread_is_named_after_the_dossier(changes: dict[str, object], name: str) -> None:
    made = thread_name(replace(alert(), development=development(1, **changes)), Atlas())
    assert made == name
    assert len(made) <= 100


@settings(STEADY, max_examples=60)
@given(HOSTILE)
def test_a_pointer_holds_only_our_own_way_into_the_thread(headline: str) -> None:
    payload = pointer_embed(alert(headline=headline), 12345).to_dict()
    assert problem_with({"embeds": [payload]}) is None
    assert payload["description"] == "`Trade deal` `signed` → <#12345>"
    foreign = re.sub(r"\\[^0-9A-Za-z\s]", "¤", payload["title"])
    assert not re.search(r"[<>`\[\]*_~|]|://|@everyone|@here", foreign, re.IGNORECASE)


@settings(STEADY, max_examples=60)
@given(HOSTILE, HOSTILE.map(lambda t: t * 40))
def test_any_file_has_a_name_that_its_embed_finds_and_a_description_that_fits(name: str, description: str) -> None:
    picture = Attachment(name=name, media="image/png", content=b"1", description=description)
    reply = Reply(title="Timeline", attachments=(picture,))
    (file,) = reply_files(reply)
    assert re.fullmatch(r"[A-Za-z0-9._-]+", file.filename)
    assert reply_embeds(reply)[0].to_dict()["image"]["url"] == f"attachment://{file.filename}"
    assert len(file.description or "") <= 1024
    assert "@everyone" not in (file.description or "")
