"""The use cases around sources: the table of their health, and what admins change in the list. Command in, Reply out."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Sequence

from bot.domain.entries import ParsedEntry, Source, SourceChange, SourceState, merged
from bot.domain.errors import UsageError
from bot.domain.health import Health, health_of
from bot.ports import Clock, Library, Probe, Prober, Reader, SourceReport
from handlers.grammar import Actor, Command, Name, usage
from handlers.replies import Item, Reply

SHOWN = 5  # entries of a source that is about to be added
LISTED = 20
MAX_OWN = 500
_WORST_FIRST = (Health.FAILING, Health.RETIRED, Health.WINDOW_PASSED, Health.QUIET, Health.OK)


class SourceDesk:
    """Answers `sources …`. Who may change something is decided before it is asked.

    `listed` are the sources of the file; `changed` is called after every change, so that it takes effect at once.
    """

    def __init__(
        self,
        *,
        library: Library,
        reader: Reader,
        prober: Prober,
        listed: Sequence[Source],
        clock: Clock,
        changed: Callable[[], Awaitable[None]],
    ) -> None:
        self._library = library
        self._reader = reader
        self._prober = prober
        self._listed = tuple(listed)
        self._clock = clock
        self._changed = changed

    async def answer(self, actor: Actor, command: Command) -> Reply:
        """See `Desk.answer`."""
        action, _, words = command.words.partition(" ")
        if (action := action.casefold()) in ("", "list"):
            return await self.table()
        if action not in ("check", "add", "remove", "pause", "resume") or not words:
            raise usage(Name.SOURCES)
        if action == "check":
            return await self.check(words)
        if action == "add":
            return await self.add(words, str(actor))
        if action == "remove":
            return await self.remove(words, str(actor))
        return await self.pause(words, str(actor), paused=action == "pause")

    async def table(self) -> Reply:
        """Return every source with its health, the worst first."""
        now, sources = self._clock.now(), await self._sources()
        states = {report.name: report for report in await self._library.source_reports()}
        rows = [(source, states.get(source.name)) for source in sources]
        health = {s.name: Health.OK if r is None else health_of(r.state, now) for s, r in rows}
        rows.sort(key=lambda row: (_WORST_FIRST.index(health[row[0].name]), row[0].name))
        counts = ", ".join(f"{n} {h.replace('_', ' ')}" for h in _WORST_FIRST[::-1] if (n := sum(v is h for v in health.values())))
        more = f"{len(rows) - LISTED} more are not shown; ask for one with: sources check NAME" if len(rows) > LISTED else ""
        return Reply(
            title=f"Sources: {len(rows)}",
            facts=(("Health", counts or "none yet"),),
            items=tuple(_row(source, report, health[source.name]) for source, report in rows[:LISTED]),
            note=more,
        )

    async def check(self, name: str) -> Reply:
        """Read a source now and say what it gives; nothing of it is stored."""
        source, began = await self._named(name), time.perf_counter()
        harvest = await self._reader.read(source, SourceState(name=source.name), self._clock.now())
        newest = max((e.published for e in harvest.entries if e.published), default=None)
        probe = Probe(
            url=source.url,
            title=source.name,
            entries=harvest.entries,
            seconds=time.perf_counter() - began,
            newest=newest,
            problem=harvest.problem,
            moved=harvest.moved,
        )
        return _shown(f"Checked {source.name}", probe, "")

    async def add(self, words: str, actor: str) -> Reply:
        """Show what a feed or a page's feed gives; with `yes` behind the address, add it."""
        url, _, said = words.partition(" ")
        probe = await self._prober.discover(url, self._clock.now())
        if any(source.url == probe.url for source in await self._sources()):
            raise UsageError(f"That feed is among the sources already: {probe.url}")
        if said.strip().casefold() != "yes":
            return _shown(f"Found {probe.title}", probe, f"To add it: sources add {probe.url} yes")
        change = SourceChange(name=await self._free(probe.title), url=probe.url)
        await self._keep(change, actor)
        return _shown(f"Added {change.name}", probe, "It is polled from now on. What it lists already is not alerted if older than a day.")

    async def remove(self, name: str, actor: str) -> Reply:
        """Take a source off the list, be it of the file or added."""
        source = await self._named(name)
        await self._keep(self._change(source, removed=True), actor)
        return Reply(title=f"Removed {source.name}", note=f"To have it back: sources add {source.url} yes")

    async def pause(self, name: str, actor: str, *, paused: bool) -> Reply:
        """Stop polling a source for a while, or go on with it; going on also revives one that had retired."""
        source = await self._named(name)
        if not paused:
            await self._library.revive_source(source.name)
        await self._keep(self._change(source, paused=paused), actor)
        return Reply(title=f"{'Paused' if paused else 'Resumed'} {source.name}")

    async def _keep(self, change: SourceChange, actor: str) -> None:
        if change.url and len(await self._library.source_changes()) >= MAX_OWN:
            raise UsageError(f"There are {MAX_OWN} changed sources already; remove one first.")
        await self._library.change_source(change, actor, self._clock.now())
        await self._changed()

    def _change(self, source: Source, *, paused: bool = False, removed: bool = False) -> SourceChange:
        own = all(source.name != listed.name for listed in self._listed)
        return SourceChange(name=source.name, url=source.url if own else None, kind=source.kind, paused=paused, removed=removed)

    async def _sources(self) -> list[Source]:
        return merged(self._listed, await self._library.source_changes())

    async def _named(self, name: str) -> Source:
        wanted, sources = name.strip().strip("“”\"'").casefold(), await self._sources()
        exact = [s for s in sources if s.name.casefold() == wanted]
        found = exact or [s for s in sources if wanted in s.name.casefold() or wanted in s.url.casefold()]
        if len(found) != 1:
            some = ", ".join(s.name for s in found[:5])
            raise UsageError(f"Which one? {some}" if found else f"There is no source “{name[:60]}”.")
        return found[0]

    async def _free(self, title: str) -> str:
        taken = {s.name for s in self._listed} | {c.name for c in await self._library.source_changes() if not c.removed}
        names = [title, *(f"{title} {n}" for n in range(2, MAX_OWN + 2))]
        return next(name for name in names if name not in taken)


def _row(source: Source, report: SourceReport | None, health: Health) -> Item:
    state = report.state if report else SourceState(name=source.name)
    chips = [
        "paused" if source.paused else health.replace("_", " "),
        *([source.group] if source.group else []),
        f"{report.entries if report else 0} entries",
        *([f"usually every {_span(state.rhythm)}"] if state.rhythm else []),
        *([f"{state.failures} failures in a row"] if state.failures else []),
    ]
    return Item(title=source.name, url=source.url, when=state.arrived, chips=tuple(chips), body=state.problem or "")


def _span(seconds: float) -> str:
    if seconds < 5_400:
        return f"{max(round(seconds / 60), 1)} min"
    return f"{seconds / 3600:.0f} h" if seconds < 172_800 else f"{seconds / 86_400:.0f} days"


def _shown(title: str, probe: Probe, note: str) -> Reply:
    newest = sorted(probe.entries, key=_age, reverse=True)[:SHOWN]
    return Reply(
        title=title,
        facts=(
            ("Address", probe.url),
            ("Entries", str(len(probe.entries))),
            ("Answered in", f"{probe.seconds * 1000:.0f} ms"),
            *((("Problem", probe.problem),) if probe.problem else ()),
            *((("Moved for good to", probe.moved),) if probe.moved else ()),
        ),
        items=tuple(Item(title=e.title, url=e.url or None, when=e.published, body=e.summary[:200]) for e in newest),
        note=note,
    )


def _age(entry: ParsedEntry) -> float:
    return entry.published.timestamp() if entry.published else 0.0
