"""The command line. Exit codes: 0 well, 1 partly failed, 2 wrong use or a setting that is missing or wrong."""

from __future__ import annotations

import asyncio
import importlib.util
import json
import os
import sys
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from bot.domain.errors import AttacheError, UsageError
from bot.logs import configure_logs
from config.settings import Settings, read_settings
from config.sources_file import read_sources

if TYPE_CHECKING:
    from bot.batch import Item

Row = dict[str, Any]

app = typer.Typer(
    name="attache",
    help="Alerts on trade deals and ministerial meetings for Slack, Discord and the terminal.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


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
    first: BaseException = found
    while isinstance(first, BaseExceptionGroup):
        first = first.exceptions[0]
    assert isinstance(first, AttacheError)  # noqa: S101  (the subgroup holds nothing else)
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
    print(f"attache: {error}", file=sys.stderr)
    return 2


def _finish(work: Callable[[], Coroutine[Any, Any, int]]) -> None:
    """Run to the end and exit with the code that `work` returns."""
    raise typer.Exit(asyncio.run(work()))


@app.command()
def run() -> None:
    """Poll the sources, classify, alert, and answer commands, until SIGTERM."""
    from bot.app import run as run_all  # a missing setting is told before the model's libraries load

    settings = read_settings()
    sources = read_sources(settings.attache_sources)
    configure_logs()
    code = _told(lambda: asyncio.run(run_all(settings, sources, Console())))
    sys.stdout.flush()
    sys.stderr.flush()
    # Python would wait here for threads that look up names, and a dead resolver holds one for half a minute
    os._exit(code)


@app.command()
def demo() -> None:
    """Play two weeks of invented news through the whole pipeline: no network, no token."""
    from bot.demo.main import show_demo

    configure_logs(quiet=True)
    asyncio.run(show_demo(Console(), Settings().attache_model))


@app.command()
def ask(words: Annotated[list[str], typer.Argument(help="A command, such as: latest 3 trade india")]) -> None:
    """Answer a command in the terminal as Slack and Discord would: latest, search, timeline, why, watch, status, help."""
    _finish(lambda: _ask(" ".join(words)))


@app.command()
def why(name: Annotated[str, typer.Argument(help="A development's id, an entry's key, or its address")]) -> None:
    """Say why an entry did or did not become an alert."""
    _finish(lambda: _ask(f"why {name}"))


async def _ask(line: str) -> int:
    from bot.app import SystemClock, open_store, read_places
    from bot.domain.alerts import Surface
    from handlers.commands import Actor, Commands
    from handlers.console.render import reply_view

    settings = Settings()
    async with open_store(settings.attache_database_url) as store:
        commands = Commands(library=store, gazetteer=read_places(), clock=SystemClock(), admins=settings.admins)
        # whoever can run this can also open the database: the terminal's user is an admin
        reply = await commands.answer_line(Actor(surface=Surface.CONSOLE, user="terminal", admin=True), line)
    Console().print(reply_view(reply))
    return 2 if reply.error else 0


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
    async with open_judge(Settings().attache_model) as judge:
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


def _progress() -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    return Progress(*columns, console=Console(stderr=True), transient=False)
