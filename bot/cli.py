"""The command line. Exit codes: 0 well, 1 partly failed, 2 wrong use or a setting that is missing or wrong."""

from __future__ import annotations

import asyncio
import importlib.util
import json
import os
import sys
import threading
import time
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from bot.domain.errors import AttacheError, SourceError, UsageError
from bot.logs import Shape, configure_logs
from bot.scrubbing import scrubbed
from config.settings import Settings, read_settings
from config.sources_file import read_sources

if TYPE_CHECKING:
    from rich.table import Table
    from rich.text import Text

    from bot.batch import Item
    from bot.domain.entries import Source
    from bot.feedback import Labels
    from bot.ports import Harvest, Reader

END_SECONDS = 9.5  # after SIGTERM

Row = dict[str, Any]

app = typer.Typer(
    name="attache",
    help="Alerts on trade deals and ministerial meetings for Slack, Discord and the terminal.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
sources_app = typer.Typer(help="The list of sources: check it, bring it from another program, take it to one.", no_args_is_help=True)
app.add_typer(sources_app, name="sources")
feedback_app = typer.Typer(help="What people said of alerts by Useful and Not relevant.", no_args_is_help=True)
app.add_typer(feedback_app, name="feedback")


def main() -> None:
    """Run the command line; an error that is the user's to mend is one line and exit code 2."""
    try:
        if code := _told(app):
            sys.exit(code)
    except BrokenPipeError:
        with suppress(OSError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)


def _mendable(group: BaseExceptionGroup[BaseException]) -> AttacheError:
    """Return the first error of a task group that is the user's to mend; raise the group again where there is none."""
    found = group.subgroup(AttacheError)
    if found is None:
        raise group
    first: AttacheError | BaseExceptionGroup[AttacheError] = found
    while isinstance(first, BaseExceptionGroup):
        first = first.exceptions[0]
    return first


def _told(work: Callable[[], object]) -> int:
    """Do `work` and return the exit code: 2 after an error that is the user's to mend, which is told in one line."""
    try:
        work()
    except BaseExceptionGroup as group:
        error = _mendable(group)
    except AttacheError as mendable:
        error = mendable
    else:
        return 0
    print(f"attache: {scrubbed(str(error))}", file=sys.stderr)
    return 2


def _log_as(settings: Settings) -> None:
    configure_logs(shape=Shape(settings.attache_log), secrets=settings.secrets)


def _finish(work: Callable[[], Coroutine[Any, Any, int]]) -> None:
    """Run to the end and exit with the code that `work` returns."""
    raise typer.Exit(asyncio.run(work()))


@app.command()
def run() -> None:
    """Poll the sources, classify, alert, and answer commands, until SIGTERM."""
    from bot.app import run as run_all  # a missing setting is told before the model's libraries load

    settings = read_settings()
    sources = read_sources(settings.attache_sources)
    _log_as(settings)
    code = _told(lambda: asyncio.run(run_all(settings, sources, Console(), _end_soon)))
    _end(code)


def _end_soon(seconds: float = END_SECONDS) -> None:
    """See that the process ends within `seconds`, whatever in it does not: nothing is lost by that, as nothing is by a power cut."""
    timer = threading.Timer(seconds, _end, [1])
    timer.daemon = True
    timer.start()


def _end(code: int) -> None:
    """End the process. Python, and asyncio before it, would wait for threads that look up names, and a dead resolver holds one for half a minute."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


@app.command()
def migrate() -> None:
    """Bring the database to the newest schema (PostgreSQL: before the other processes start)."""
    from bot import roles

    settings = read_settings(listening=False)
    _log_as(settings)
    asyncio.run(roles.migrate(settings))


@app.command()
def backup(to: Annotated[Path, typer.Argument(metavar="FILE", help="The file to make")]) -> None:
    """Copy the SQLite database to a new file while the bot runs."""
    from bot.storage.backup import backup as copy

    size = copy(Settings().attache_database_url, to)
    print(f"{to}: {size / 1e6:.1f} MB")


@app.command()
def clock() -> None:
    """Decide what runs when, on PostgreSQL; a second one stands by."""
    _role("clock")


@app.command()
def worker() -> None:
    """Poll, judge, file and send, on PostgreSQL; any number of these."""
    _role("worker")


@app.command()
def web() -> None:
    """Answer Slack over HTTP, on PostgreSQL."""
    _role("web")


@app.command()
def discord() -> None:
    """Hold Discord's gateway, on PostgreSQL."""
    _role("discord")


def _role(name: str) -> None:
    from bot import roles

    settings = read_settings(listening=name == "web")
    sources = read_sources(settings.attache_sources)
    _log_as(settings)
    _end(_told(lambda: asyncio.run(getattr(roles, name)(settings, sources, _end_soon))))


@app.command()
def demo() -> None:
    """Play two weeks of invented news through the whole pipeline: no network, no token."""
    from bot.demo.main import show_demo

    configure_logs(quiet=True)
    asyncio.run(show_demo(Console(), Settings().attache_model))


@app.command()
def ask(words: Annotated[list[str], typer.Argument(help="A command, such as: latest 3 trade india")]) -> None:
    """Answer a command in the terminal as Slack and Discord would: see `attache ask help`. Whoever runs this is an admin."""
    _finish(lambda: _ask(" ".join(words)))


@app.command()
def why(name: Annotated[str, typer.Argument(help="A development's id, an entry's key, or its address")]) -> None:
    """Say why an entry did or did not become an alert."""
    _finish(lambda: _ask(f"why {name}"))


async def _ask(line: str) -> int:
    from bot.app import TERMINAL, SystemClock, make_reader, open_store, read_places
    from bot.judge.watching import Watching
    from handlers.console.files import saved
    from handlers.console.render import reply_view
    from handlers.desks import make_commands
    from handlers.grammar import Actor
    from handlers.sources import SourceDesk

    settings, clock, places = Settings(), SystemClock(), read_places()

    async def changed() -> None:
        """Nothing: the bot that runs looks at the list again within a minute."""

    async with open_store(settings.attache_database_url) as store, make_reader(settings) as reader:
        listed = read_sources(settings.attache_sources)
        desk = SourceDesk(library=store, reader=reader, prober=reader.prober, listed=listed, clock=clock, changed=changed)
        commands = make_commands(
            store=store, gazetteer=places, language=Watching(places), clock=clock, admins=settings.admins, sources=desk
        )
        # whoever can run this can also open the database: the terminal's user is an admin
        actor = Actor(surface=TERMINAL.surface, user="terminal", admin=True, channel=TERMINAL.address)
        reply = await commands.answer_line(actor, line)
    Console().print(reply_view(reply, saved(reply.attachments)))
    return 2 if reply.error else 0


@app.command()
def doctor() -> None:
    """Look whether everything works (tokens, rights, database, model, clock, five sources) and say how to mend it. Exit code 1 if not."""
    configure_logs(quiet=True)
    _finish(_doctor)


async def _doctor() -> int:
    from bot.doctor.findings import State
    from bot.doctor.rounds import examine
    from bot.doctor.view import findings_view

    findings = await examine()
    Console(width=None if sys.stdout.isatty() else 160).print(findings_view(findings))
    return 1 if any(finding.state is State.FAIL for finding in findings) else 0


@app.command()
def classify() -> None:
    """Read entries as JSON lines from standard input and write what they are found to be, a line each."""
    _finish(_classify)


async def _classify() -> int:
    from bot.app import open_judge
    from bot.batch import classify as classify_lines

    sys.stdin.reconfigure(encoding="utf-8", errors="replace")  # type: ignore[union-attr]  # a TextIOWrapper wherever a shell starts us
    async with open_judge(Settings().attache_model) as judge:
        good = await classify_lines(sys.stdin, judge, _write)
    return 0 if good else 1


def _write(row: Row) -> None:
    sys.stdout.write(json.dumps(row, ensure_ascii=False) + "\n")


@app.command()
def replay(
    files: Annotated[list[Path], typer.Argument(exists=True, dir_okay=False, help="Entries as .jsonl or .jsonl.gz")],
    out: Annotated[Path | None, typer.Option("--out", help="Where to write; standard output by default.")] = None,
) -> None:
    """Run entries through the pipeline in the order of their publication and write a line per development."""
    from bot.batch import read_files

    configure_logs(quiet=True)
    items, broken = read_files(files)
    for line in broken:
        print(f"attache: line {line.line}: {line.error}", file=sys.stderr)
    rows = asyncio.run(_replay(items))
    text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    if out is None:
        sys.stdout.write(text)
    else:
        out.write_text(text, encoding="utf-8")
    raise typer.Exit(1 if broken else 0)


async def _replay(items: Sequence[Item]) -> list[Row]:
    from bot.app import open_judge
    from bot.batch import replay as replay_items

    rows: list[Row] = []
    settings = Settings()
    async with open_judge(settings.attache_model, settings.attache_summary_model) as judge:
        with _progress() as progress:
            task = progress.add_task("replaying", total=len(items))
            await replay_items(items, judge, rows.append, lambda n: progress.advance(task, n))
    return rows


Files = Annotated[list[Path], typer.Option("--data", exists=True, dir_okay=False, help="Labelled entries as .jsonl or .jsonl.gz")]
Texts = Annotated[
    list[Path] | None, typer.Option("--texts", exists=True, dir_okay=False, help="Entries whose labels in --data bear no title")
]


@app.command()
def train(
    data: Files,
    out: Annotated[Path, typer.Option("--out", file_okay=False, help="The model folder to write")],
    texts: Texts = None,
    base: Annotated[Path | None, typer.Option("--base", exists=True, file_okay=False, help="The encoder to start from")] = None,
    pairs: Annotated[
        list[Path] | None, typer.Option("--pairs", exists=True, dir_okay=False, help="Labelled pairs, for telling stories apart")
    ] = None,
    held_out: Annotated[
        list[Path] | None,
        typer.Option("--held-out", exists=True, dir_okay=False, help="Entries to calibrate on instead of training on them"),
    ] = None,
    epochs: Annotated[int, typer.Option(min=1, max=20)] = 3,
) -> None:
    """Train a model folder from labelled entries and print its figures on the entries held out. Needs the extra attache[train]."""
    _need_training()
    from bot.training.data import read_examples
    from bot.training.fit import Recipe
    from bot.training.train import default_base, keys_of, train_model

    examples = read_examples([*data, *(held_out or [])], texts or [])
    figures = train_model(
        examples,
        base=base or default_base(),
        out=out,
        held_out=keys_of(held_out or []),
        pairs=pairs or [],
        recipe=Recipe(epochs=epochs),
        say=lambda line: print(line, file=sys.stderr),
    )
    print(json.dumps(figures, indent=1))


def _need_training() -> None:
    missing = [name for name in ("torch", "sklearn", "onnx") if importlib.util.find_spec(name) is None]
    if missing:
        raise UsageError(f"training needs {', '.join(missing)}: install the extra, pip install 'attache[train]'")


@app.command()
def evaluate(data: Files, texts: Texts = None) -> None:
    """Print the judge's figures on labelled entries: precision, recall and F1 per topic, accuracy of stage and status."""
    figures = asyncio.run(_evaluate(data, texts or []))
    print(json.dumps(figures, indent=1))


async def _evaluate(data: list[Path], texts: list[Path]) -> dict[str, Any]:
    from bot.app import open_judge
    from bot.training.data import entries_of, read_examples
    from bot.training.scores import label_figures

    examples = read_examples(data, texts)
    async with open_judge(Settings().attache_model) as judge:
        return label_figures(examples, await judge.classifier.assess(entries_of(examples)))


@dataclass(frozen=True, kw_only=True)
class Checked:
    """A source that was read once: in how many seconds, what came, and what is wrong with it."""

    source: Source
    seconds: float
    harvest: Harvest | None
    problem: str | None


@sources_app.command()
def check(
    names: Annotated[list[str] | None, typer.Argument(metavar="[NAME]…", help="Sources of the list; all by default.")] = None,
) -> None:
    """Read the sources of the list once, at the same time, and print how it went. Needs no database; exit code 1 if one has a problem.

    The milliseconds are the whole wait for a source: two of one host are read at a time, and GDELT is asked once in five seconds.
    """
    configure_logs(quiet=True)
    settings = Settings()
    _finish(lambda: _check(settings, _named(read_sources(settings.attache_sources), names or [])))


def _named(sources: list[Source], names: Sequence[str]) -> list[Source]:
    wanted = {name.strip().casefold() for name in names}
    known = {source.name.casefold() for source in sources}
    if unknown := sorted(wanted - known):
        raise UsageError(f"no source of the list is called {', '.join(unknown)}")
    return [source for source in sources if not wanted or source.name.casefold() in wanted]


async def _check(settings: Settings, sources: Sequence[Source]) -> int:
    from bot.app import SystemClock, make_reader

    now = SystemClock().now()
    async with make_reader(settings) as reader:
        rows = await asyncio.gather(*(_checked(reader, source, now) for source in sources))
    # what a pipe or a file gets is not to be broken at the 80 columns that rich assumes there
    Console(width=None if sys.stdout.isatty() else 200).print(_checked_table(rows))
    return 1 if any(row.problem for row in rows) else 0


async def _checked(reader: Reader, source: Source, now: datetime) -> Checked:
    from bot.domain.entries import SourceState

    began, harvest, problem = time.perf_counter(), None, None
    try:
        harvest = await reader.read(source, SourceState(name=source.name), now)
        problem = harvest.problem
    except SourceError as error:
        problem = str(error)
    return Checked(source=source, seconds=time.perf_counter() - began, harvest=harvest, problem=problem)


def _checked_table(rows: Sequence[Checked]) -> Table:
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in ("name", "group", "state"):
        table.add_column(name, overflow="fold")
    for name in ("ms", "entries", "newest (UTC)"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("problem", overflow="fold")
    for row in rows:
        table.add_row(*_cells(row))
    return table


def _cells(row: Checked) -> tuple[Text, ...]:
    from handlers.console.words import line

    entries = row.harvest.entries if row.harvest else ()
    newest = max((e.published for e in entries if e.published), default=None)
    moved = f"moved for good to {row.harvest.moved}" if row.harvest and row.harvest.moved else None
    return (
        line(row.source.name, 60),
        line(row.source.group, 20),
        line("problem", 10, "red") if row.problem else line("ok", 10, "green"),
        line(f"{row.seconds * 1000:.0f}", 10),
        line(str(len(entries)) if row.harvest else "", 10),
        line(newest.strftime("%Y-%m-%d %H:%M") if newest else "", 20),
        line("; ".join(filter(None, (row.problem, moved))), 300),
    )


@sources_app.command("import")
def import_sources(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, metavar="FILE.opml", help="A list of feeds from a feed reader")],
    out: Annotated[Path | None, typer.Option("--out", metavar="FILE.yaml", help="A new file to write; standard output by default.")] = None,
) -> None:
    """Turn an OPML list of feeds into lines of sources.yaml. Exit code 1 if an outline had to be skipped for its address."""
    from bot.sources.opml import MAX_BYTES, read_opml

    if out is not None and out.exists():  # it may be a list that was written by hand
        raise UsageError(f"{out} is there already; name a new file, or leave --out away and add the lines")
    skipped: list[str] = []
    with file.open("rb") as opened:
        sources = read_opml(opened.read(MAX_BYTES + 1), skipped.append)
    for line in skipped:
        _tell(f"skipped {line}")
    if not sources:
        _tell(f"{file.name} lists no feed that can be polled")
    text = "".join(map(_yaml_line, sources))
    if out is None:
        sys.stdout.write(text)
    else:
        out.write_text(text, encoding="utf-8")
    raise typer.Exit(0 if sources and not skipped else 1)


def _tell(words: str) -> None:
    """Tell on standard error what may hold foreign words."""
    from handlers.console.words import shown

    print(f"attache: {shown(words, 400)}", file=sys.stderr)


def _yaml_line(source: Source) -> str:
    """Return a feed as a line of sources.yaml; what is not set is left out."""
    import yaml

    names = ("name", "url", "kind", "interval", "country", "language", "group")
    values = {name: value for name in names if (value := getattr(source, name)) is not None}
    row = {name: str(value) if name == "kind" else value for name, value in values.items()}
    # sorted or broken into lines, it would not look like the list's other lines
    written: str = yaml.safe_dump(row, default_flow_style=True, allow_unicode=True, sort_keys=False, width=sys.maxsize)
    return f"- {written.strip()}\n"


@sources_app.command()
def export(
    out: Annotated[Path | None, typer.Option("--out", metavar="FILE.opml", help="Where to write; standard output by default.")] = None,
) -> None:
    """Write the feeds of the list as OPML, which feed readers take. Pages and GDELT's questions are no feeds and are left out."""
    from bot.sources.opml import write_opml

    sources = read_sources(Settings().attache_sources)
    if others := [source.name for source in sources if source.kind != "feed"]:
        _tell(f"no feeds, so left out: {', '.join(others)}")
    document = write_opml(sources)
    if out is None:
        sys.stdout.flush()
        sys.stdout.buffer.write(document)  # bytes: the document names its own encoding
    else:
        out.write_bytes(document)


@feedback_app.command("export")
def export_feedback(
    out: Annotated[Path | None, typer.Option("--out", metavar="FILE.jsonl", help="Where to write; standard output by default.")] = None,
) -> None:
    """Write a labelled line for each development that was called useful or not relevant, for `attache train --data`.

    It holds the titles and summaries of others: for your own use.
    """
    labels = asyncio.run(_labels())
    text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in labels.rows)
    if out is None:
        sys.stdout.write(text)
    else:
        out.write_text(text, encoding="utf-8")
    _tell(f"{len(labels.rows)} labelled, {labels.tied} left out as undecided, {labels.gone} as no longer kept")


async def _labels() -> Labels:
    from bot.app import open_store
    from bot.feedback import labels_of

    async with open_store(Settings().attache_database_url) as store:
        said = await store.feedback()
        return labels_of(said, await store.openings({one.development_id for one in said}))


def _progress() -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    return Progress(*columns, console=Console(stderr=True), transient=False)
