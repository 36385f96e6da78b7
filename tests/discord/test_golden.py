"""What goes over the wire, for each kind of message, as kept in golden/: a change of it is seen and meant.

`ATTACHE_RENEW_GOLDEN=1 pytest tests/discord/test_golden.py` writes the files anew. `python -m tests.discord.openapi PATH` checks them
against Discord's OpenAPI description.
"""

from __future__ import annotations

import json
import os
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from bot.domain.errors import UsageError
from bot.domain.topics import Status, Topic
from handlers.discord.context import WHY_THIS
from handlers.grammar import Actor, Command
from handlers.replies import Attachment, Button, Item, Offer, Reply
from tests.discord.desk import desk
from tests.discord.kit import NOW, delivery, development, running, surface
from tests.discord.limits import problem_with, problem_with_command
from tests.fakes.discord_server import MANAGE_GUILD, FakeDiscord
from tests.fakes.discord_wire import Request

GOLDEN = Path(__file__).parent / "golden"
MESSAGES, MESSAGE = "/channels/{channel_id}/messages", "/channels/{channel_id}/messages/{message_id}"
CALLBACK, ANSWER = "/interactions/{interaction_id}/{interaction_token}/callback", "/webhooks/{webhook_id}/{webhook_token}"


PICTURE = Attachment(name="time line.png", media="image/png", content=b"\x89PNG", description="Two steps")
CALENDAR = Attachment(name="meetings.ics", media="text/calendar", content=b"BEGIN", description="")
ITEM = Item(title="A [pact]", url="https://a.example/1", when=NOW, chips=("Trade deal", "in force", "d1"), body="It holds. It_pays.")
OFFER = Offer(button=Button.MUTE, development_id="d1")


class Gallery:
    """A desk with a reply of each kind, whatever the real ones say today."""

    async def answer(self, _: Actor, command: Command) -> Reply:
        """Answer what was asked for."""
        replies = {
            "list": Reply(title="Latest", items=(ITEM, Item(title="Bare")), note="That is all."),
            "check facts": Reply(title="Status", facts=(("Entries", "12"), ("Health", "1 failing"))),
            "check pictures": Reply(title="Timeline", items=(ITEM,), attachments=(PICTURE, CALENDAR), offers=(OFFER,)),
        }
        if command.words not in replies:
            raise UsageError("There is no source “nothing”.")
        return replies[command.words]


def check(name: str, request: Request) -> None:
    """Compare a request with its golden file, or write it."""
    file = GOLDEN / f"{name}.json"
    made = json.dumps({"method": request.method, "path": request.path, "body": request.body}, indent=1, ensure_ascii=False) + "\n"
    if os.environ.get("ATTACHE_RENEW_GOLDEN"):
        file.parent.mkdir(exist_ok=True)
        file.write_text(made, encoding="utf-8")
    assert json.loads(made) == json.loads(file.read_text(encoding="utf-8")), name


def last(fake: FakeDiscord, path: str) -> Request:
    return next(r for r in reversed(fake.requests) if r.path == path)


async def test_alerts() -> None:
    async with FakeDiscord() as fake, running(surface(fake)) as up:
        first = await up.sender.send(delivery(1))
        check("alert", last(fake, MESSAGES))
        meeting = development(
            4, topics=(Topic.MINISTERIAL_MEETING,), stage=None, status=Status.PLANNED, people=(), summary=(), when=date(2026, 4, 1)
        )
        await up.sender.send(replace(delivery(4), alert=replace(delivery(4).alert, development=meeting)))
        check("alert_of_a_meeting", last(fake, MESSAGES))
        step = delivery(2, thread=first.message_id.partition("/")[0], follow_up="Arlandia and Borduria agree")
        receipt = await up.sender.send(replace(step, alert=replace(step.alert, step_changed=True)))
        thread = last(fake, f"{MESSAGE}/threads")
        check("thread", thread)
        check("pointer", _steady(last(fake, MESSAGES), first.message_id))
        check("follow_up", next(r for r in reversed(fake.requests[:-1]) if r.path == MESSAGES))
        await up.sender.edit(replace(step, message_id=receipt.message_id))
        check("edit", last(fake, MESSAGE))
        fake.archive(first.message_id)
        await up.sender.edit(replace(step, message_id=receipt.message_id))
        check("thread_opened", last(fake, "/channels/{channel_id}"))
        alerts = tuple(delivery(n).alert for n in (5, 6, 7))
        await up.sender.send(replace(delivery(5), digest=alerts))
        check("digest", last(fake, MESSAGES))
        await up.notifier(100).notify("The Gazette is failing since 3 hours.\n@everyone: *look*")
        notice = last(fake, MESSAGES)
        assert isinstance(notice.body, dict)
        check("notice", replace(notice, body=notice.body | {"nonce": "1000"}))  # a random one of discord.py's own


def _steady(request: Request, moving: str) -> Request:
    """Ids of the fake's making are not ours to keep."""
    return replace(request, body=json.loads(json.dumps(request.body).replace(moving, "1000")))


async def test_interactions() -> None:
    async with FakeDiscord() as fake, desk(fake, sources=Gallery()) as it:
        await it.surface.sender.send(delivery(1))
        await fake.type("sources list")
        check("acknowledgement", last(fake, CALLBACK))
        check("reply", last(fake, ANSWER))
        await fake.type("sources list", {"share": True})
        check("acknowledgement_shared", last(fake, CALLBACK))
        check("reply_shared", last(fake, ANSWER))
        await fake.type("sources check", {"name": "facts"}, permissions=MANAGE_GUILD)
        check("reply_facts", last(fake, ANSWER))
        await fake.type("sources check", {"name": "nothing"}, permissions=MANAGE_GUILD)
        check("reply_error", last(fake, ANSWER))
        typed = await fake.type("sources check", {"name": "pictures"}, permissions=MANAGE_GUILD)
        check("reply_with_a_picture", last(fake, ANSWER))
        assert typed.files == {"time_line.png": b"\x89PNG", "meetings.ics": b"BEGIN"}
        await fake.complete("story", "name", "timber")
        check("choices", last(fake, CALLBACK))
        await fake.press(fake.messages[0], "attache:useful:d1")
        check("acknowledgement_of_a_button", last(fake, CALLBACK))
        await fake.ask_about(fake.messages[0] | {"components": []}, WHY_THIS)
        check("reply_to_the_menu_of_a_message", last(fake, ANSWER))


async def test_the_commands_themselves() -> None:
    async with FakeDiscord() as fake, running(surface(fake, guild=None)):
        await fake.until_commands()
        check("commands", last(fake, "/applications/{application_id}/commands"))
        assert all(problem_with_command(c) is None for c in fake.commands["global"])


@pytest.mark.parametrize("file", sorted(GOLDEN.glob("*.json")), ids=lambda f: f.stem)
def test_every_golden_message_keeps_the_documented_limits(file: Path) -> None:
    golden = json.loads(file.read_text(encoding="utf-8"))
    if golden["path"] in (MESSAGES, MESSAGE, ANSWER):
        assert problem_with(golden["body"], edit=golden["method"] == "patch") is None
