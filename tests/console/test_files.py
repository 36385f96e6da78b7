"""What goes with an answer in the terminal: files, offers, digests; and `attache ask` as a process of its own."""

from __future__ import annotations

import io
import os
import re
import stat
import sys
from asyncio import create_subprocess_exec
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from handlers.console.files import saved
from handlers.console.render import reply_view
from handlers.console.sender import ConsoleSender
from handlers.replies import Attachment, Button, Offer, Reply
from tests.console.kit import Atlas, alert, delivery, printed
from tests.storage.kit import keep, new, opened, url_of

ROOT = Path(__file__).parents[2]
PICTURE = Attachment(name="time/../line.png", media="image/png", content=b"x" * 2_048, description="Timeline of \x1b[31m India")


def test_files_are_written_where_only_this_user_reads_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    (where,) = saved([PICTURE]).values()
    assert Path(where).read_bytes() == PICTURE.content
    assert Path(where).name == "time_.._line.png"
    assert stat.S_IMODE(Path(where).parent.stat().st_mode) == 0o700
    assert saved([]) == {}


def test_an_answer_says_where_its_files_are_and_what_it_offers() -> None:
    offers = tuple(Offer(button=button, development_id="d1") for button in Button)
    reply = Reply(title="Timeline", attachments=(PICTURE,), offers=offers)
    shown = printed(reply_view(reply, {PICTURE.name: "/tmp/attache-1/timeline.png"}))  # noqa: S108  (a name only)
    assert "File: /tmp/attache-1/timeline.png (2 KB): Timeline of [31m India" in shown
    assert re.findall(r"You may: (.*)", shown) == ["timeline d1", "why d1", "mute d1"]
    small = replace(PICTURE, content=b"x")
    assert "File: time/../line.png (1 bytes)" in printed(reply_view(Reply(title="", attachments=(small,))))


async def test_a_digest_is_printed_under_its_title_and_an_edit_prints_nothing() -> None:
    out = io.StringIO()
    sender = ConsoleSender(Console(file=out, width=80), Atlas())
    both = (alert(), alert(development_id="d2", headline="A second pact"))
    await sender.send(replace(delivery(), digest=both))
    assert out.getvalue().startswith("Digest: 2 developments in 1 matter\n")
    assert "A second pact" in out.getvalue()
    out.truncate(0)
    await sender.edit(replace(delivery(), message_id="console-1"))
    assert out.getvalue().strip("\x00") == ""


def saw(place: str) -> bytes:
    return Path(place).read_bytes()[:4]


async def test_ask_answers_readers_and_does_what_admins_may(tmp_path: Path) -> None:
    async with opened(tmp_path) as store:
        development = await keep(store, await new(store, "India and United States sign a rice accord"), alert=True)
    (tmp_path / "sources.yaml").write_text("- {name: Quay, url: 'http://127.0.0.1:9/feed'}\n")
    env = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "TMPDIR": str(tmp_path),
        "PYTHONPATH": str(ROOT),
        "ATTACHE_DATABASE_URL": url_of(tmp_path),
        "ATTACHE_SOURCES": str(tmp_path / "sources.yaml"),
    }

    async def ask(*words: str) -> tuple[int | None, str]:
        made = await create_subprocess_exec(sys.executable, "-m", "bot", "ask", *words, stdout=-1, stderr=-1, env=env, cwd=tmp_path)
        out, err = await made.communicate()
        assert err == b""
        return made.returncode, out.decode()

    code, shown = await ask("timeline", "India")
    assert code == 0
    (place,) = re.findall(r"File: (\S+\.png)", shown.replace("\n", ""))
    assert saw(place) == b"\x89PNG"
    code, shown = await ask("story", development.development_id)
    assert (code, "development 1 of 1" in shown, "on the way" in shown) == (0, True, True)
    code, shown = await ask("watch", "add", "tariff*")
    assert (code, "Added" in shown) == (0, True)
    code, shown = await ask("subscribe", "trade")
    assert (code, "This channel is subscribed" in shown) == (0, True)
    code, shown = await ask("status")
    assert (code, "subscribed, realtime" in shown) == (0, True)
    code, shown = await ask("sources", "pause", "Quay")
    assert (code, "Quay" in shown) == (0, True)
    assert (await ask("latest", "99"))[0] == 2
