"""`attache sources …` as a process of its own: what goes to standard output, what to standard error, and the exit codes."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from bot.cli import sources_app
from config.sources_file import read_sources
from tests.sources.kit import item, rss
from tests.sources.server import WebServer

ROOT = Path(__file__).parents[1]
OPML = """<opml version="2.0"><body>
<outline text="press"><outline text="No: 1, {news}" xmlUrl="https://a.example/f?a=1&amp;b=2"/></outline>
<outline text="Wrong \x1b[31m" xmlUrl="file:///etc/passwd"/>
<outline text="on" xmlUrl="https://b.example/f" language="en"/>
</body></opml>"""

LIST = """
- {name: Ministère, url: "https://a.example/f?a=1&b=[2]", interval: 600, country: 'NO', language: fr, group: official}
- {name: Listing, url: "https://b.example/", kind: page, selectors: {item: article}}
- {name: 'A & "B"', url: "https://c.example/f", group: press}
- {name: Question, url: "https://api.gdeltproject.org/api/v2/doc/doc?query=x", kind: gdelt, group: api}
- {name: Alone, url: "https://d.example/f"}
"""


@dataclass(frozen=True, kw_only=True)
class Ended:
    """A process that ended."""

    code: int | None
    out: str
    err: str


Run = Callable[..., Awaitable[Ended]]


@pytest.fixture
def attache(tmp_path: Path) -> Run:
    """`attache sources`, in an empty home whose list is `sources.yaml`."""
    env = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "PYTHONPATH": str(ROOT), "ATTACHE_SOURCES": str(tmp_path / "sources.yaml")}

    async def run(*words: str, **more: str) -> Ended:
        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "bot", "sources", *words, cwd=tmp_path, env=env | more, stdout=pipe, stderr=pipe
        )
        out, err = await asyncio.wait_for(process.communicate(), 60)
        assert b"Traceback" not in err, err.decode()
        return Ended(code=process.returncode, out=out.decode(), err=err.decode())

    return run


@pytest.fixture
async def server() -> AsyncIterator[WebServer]:
    async with WebServer() as running:
        yield running


def listed(folder: Path, **urls: str) -> None:
    (folder / "sources.yaml").write_text("".join(f"- {{name: {name}, url: '{url}', group: press}}\n" for name, url in urls.items()))


async def test_check_reads_every_source_and_says_how_it_went(attache: Run, server: WebServer, tmp_path: Path) -> None:
    server.put("/a", rss(item(pubDate="Mon, 02 Mar 2026 10:00:00 GMT"), item("Pact signed", link="/2")))
    server.redirect("/old", "/a", status=301)
    listed(tmp_path, Good=server.url("/a"), Gone=server.url("/none"), Old=server.url("/old"))
    ended = await attache("check", ATTACHE_ALLOW_PRIVATE_SOURCES="1")
    rows = {line.split()[0]: line for line in ended.out.splitlines() if line.strip()}
    assert (ended.code, ended.err) == (1, "")
    assert {"name", "group", "state", "ms", "entries", "newest", "problem"} <= set(rows["name"].split())
    assert rows["Good"].split()[1:3] + rows["Good"].split()[4:] == ["press", "ok", "2", "2026-03-02", "10:00"]
    assert "not-found: HTTP 404" in rows["Gone"]
    assert f"moved for good to {server.url('/a')}" in rows["Old"]
    assert " ok " in rows["Old"]
    assert not [name for name in os.listdir(tmp_path) if name.endswith(".db")]


async def test_check_reads_only_the_sources_that_are_named(attache: Run, server: WebServer, tmp_path: Path) -> None:
    server.put("/a", rss(item()))
    listed(tmp_path, Good=server.url("/a"), Gone=server.url("/none"))
    ended = await attache("check", "good", ATTACHE_ALLOW_PRIVATE_SOURCES="1")
    assert (ended.code, "Gone" in ended.out, server.hits("/none")) == (0, False, 0)
    unknown = await attache("check", "Good", "Goood")
    assert (unknown.code, unknown.out, unknown.err) == (2, "", "attache: no source of the list is called goood\n")


async def test_check_refuses_private_addresses_unless_they_are_allowed(attache: Run, server: WebServer, tmp_path: Path) -> None:
    listed(tmp_path, Inside=server.url("/a"))
    ended = await attache("check")
    assert (ended.code, "address:" in ended.out, server.hits("/a")) == (1, True, 0)


async def test_import_gives_lines_that_the_bot_reads(attache: Run, tmp_path: Path) -> None:
    (tmp_path / "in.opml").write_text(OPML.replace("\x1b", "&#8238;"))
    ended = await attache("import", "in.opml")
    assert (ended.code, ended.err.splitlines()) == (
        1,
        ["attache: skipped Wrong [31m: address: file:///etc/passwd is neither http nor https"],
    )
    assert ended.out.splitlines()[1] == "- {name: 'on', url: 'https://b.example/f', kind: feed, language: en}"
    (tmp_path / "sources.yaml").write_text(ended.out)
    first, second = read_sources(tmp_path / "sources.yaml")
    assert (first.name, first.url, first.group) == ("No: 1, {news}", "https://a.example/f?a=1&b=2", "press")
    assert (second.name, second.language) == ("on", "en")


async def test_import_writes_a_new_file_and_never_over_another(attache: Run, tmp_path: Path) -> None:
    (tmp_path / "in.opml").write_text('<opml><body><outline text="A" xmlUrl="https://a.example/"/></body></opml>')
    ended = await attache("import", "in.opml", "--out", "new.yaml")
    assert (ended.code, ended.out, [s.name for s in read_sources(tmp_path / "new.yaml")]) == (0, "", ["A"])
    again = await attache("import", "in.opml", "--out", "new.yaml")
    assert (again.code, again.err.startswith("attache: new.yaml is there already")) == (2, True)


async def test_import_of_what_is_no_opml_is_one_line(attache: Run, tmp_path: Path) -> None:
    (tmp_path / "in.opml").write_text("<rss/>")
    ended = await attache("import", "in.opml")
    assert (ended.code, ended.out, len(ended.err.splitlines())) == (2, "", 1)
    (tmp_path / "in.opml").write_text("<opml><body/></opml>")
    empty = await attache("import", "in.opml")
    assert (empty.code, empty.out, empty.err) == (1, "", "attache: in.opml lists no feed that can be polled\n")


async def test_export_and_import_give_the_feeds_of_the_list_again(attache: Run, tmp_path: Path) -> None:
    (tmp_path / "sources.yaml").write_text(LIST, encoding="utf-8")
    exported = await attache("export")
    assert (exported.code, exported.out.startswith("<?xml version='1.0' encoding='utf-8'?>\n<opml ")) == (0, True)
    assert exported.err == "attache: no feeds, so left out: Listing, Question\n"
    assert (await attache("export", "--out", "out.opml")).out == ""
    assert (tmp_path / "out.opml").read_text(encoding="utf-8") == exported.out
    assert (await attache("import", "out.opml", "--out", "new.yaml")).code == 0
    assert read_sources(tmp_path / "new.yaml") == [s for s in read_sources(tmp_path / "sources.yaml") if s.kind == "feed"]


async def test_export_without_a_list_is_one_line(attache: Run) -> None:
    ended = await attache("export")
    assert (ended.code, ended.out, len(ended.err.splitlines())) == (2, "", 1)


def test_each_command_is_in_the_readme() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    named = {command.name or (command.callback.__name__ if command.callback else "") for command in sources_app.registered_commands}
    assert named == {"check", "import", "export"}
    for name in named:
        assert f"`attache sources {name} " in readme, name
