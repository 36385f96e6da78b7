"""The use case `why`: what was thought of an entry, and what became of it. Words in, Reply out."""

from __future__ import annotations

from bot.domain.errors import UsageError
from bot.ports import EntryReport, Library
from handlers.grammar import Actor, Command, usage
from handlers.replies import Item, Reply
from handlers.showing import topic_name


class WhyDesk:
    """Answers `why` for a development, an entry's key, or its address. Changes nothing."""

    def __init__(self, *, library: Library) -> None:
        self._library = library

    async def answer(self, _: Actor, command: Command) -> Reply:
        """See `Desk.answer`."""
        if not command.words:
            raise usage(command.name)
        report = await self._library.why(command.words)
        if report is None:
            raise UsageError("There is no such entry: give its key, its address, or the id of a development.")
        return why(report)


def why(report: EntryReport) -> Reply:
    """Return the report on one entry as a reply."""
    reason = report.reason.sentence if report.reason else "not assessed yet"
    entry = report.entry
    return Reply(
        title="Why",
        items=(Item(title=entry.title, url=entry.url or None, when=entry.published, chips=(entry.outlet, entry.key)),),
        facts=(*_assessed(report), *_filed(report)),
        note=reason[:1].upper() + reason[1:] + ".",
    )


def _assessed(report: EntryReport) -> tuple[tuple[str, str], ...]:
    assessment = report.assessment
    if assessment is None:
        return ()
    return (
        *((topic_name(t), f"{score:.2f}") for t, score in assessment.scores.items()),
        ("New development", f"{assessment.development:.2f}"),
        ("Words that weighed", ", ".join(f"{w} {s:+.2f}" for w, s in assessment.moved) or "none"),
        *((("Watch keyword", report.keyword),) if report.keyword else ()),
    )


def _filed(report: EntryReport) -> tuple[tuple[str, str], ...]:
    development, match = report.development, report.match
    facts: tuple[tuple[str, str], ...] = ()
    if development:
        facts = (("Filed under", f"{development.development_id}: {development.headline}"), ("Dossier", development.dossier_id))
    if match and match.features:
        features = ", ".join(f"{n} {v:.2f}" for n, v in match.features)
        facts += (("Likeness to it", f"{match.probability:.2f}"), ("Features of the match", features))
    return facts
