"""`attache feedback export`: what people said becomes labels that training takes."""

from __future__ import annotations

import json
import sys
from asyncio import create_subprocess_exec
from collections.abc import AsyncIterator
from os import environ
from pathlib import Path

import pytest

from bot.domain.alerts import Destination, Surface
from bot.domain.assessment import Assessment
from bot.domain.decisions import Reason
from bot.domain.subscriptions import Feedback
from bot.domain.topics import Stage, Status
from bot.feedback import labels_of, verdicts
from bot.ports import Filed
from bot.storage.store import SqlStore
from bot.training.data import read_examples
from tests.fakes.clock import START
from tests.storage.kit import DEAL, MEETING, SLACK, development_on, new, opened, url_of

ROOT = Path(__file__).parents[1]


def said(development: str, useful: bool, actor: str = "slack:U1", where: Destination = SLACK) -> Feedback:
    return Feedback(development_id=development, destination=where, actor=actor, useful=useful, at=START)


async def filed(store: SqlStore, title: str, number: int, **more: object) -> str:
    """File an entry as the pipeline does; return its development's id."""
    entry = await new(store, title, number, summary=f"Summary {number}.")
    values = {"scores": {DEAL: 0.9, MEETING: 0.8}, "development": 0.9, "stage": Stage.SIGNED, "status": Status.HELD, **more}
    topics = values.pop("topics", (DEAL,))
    development = development_on(entry, topics=topics)
    judged = Filed(
        entry=entry,
        assessment=Assessment(**values),  # type: ignore[arg-type]  # fields by name
        reason=Reason.NEW_DEVELOPMENT,
        topics=topics,  # type: ignore[arg-type]  # any of them here
        development_id=development.development_id,
    )
    async with store.begin() as writing:
        await writing.save(development, (f"w:{number}",))
        await writing.record(judged)
    return development.development_id


def test_the_majority_decides_and_a_tie_is_left_out() -> None:
    elsewhere = Destination(surface=Surface.DISCORD, address="42")
    feedback = [
        said("d1", True),
        said("d1", False, "slack:U2"),
        said("d1", True, "discord:7", elsewhere),
        said("d2", True),
        said("d2", False, "slack:U2"),
        said("d3", False),
    ]
    assert verdicts(feedback) == {"d1": True, "d2": None, "d3": False}
    found = labels_of(feedback, {})
    assert (found.rows, found.tied, found.gone) == ((), 1, 2)


@pytest.fixture
async def store(tmp_path: Path, database: str) -> AsyncIterator[SqlStore]:
    async with opened(tmp_path) as store:
        yield store


async def test_labels_are_of_the_entry_that_opened_the_development(store: SqlStore) -> None:
    deal = await filed(store, "Norway and Chile sign a trade agreement", 1)
    both = await filed(store, "Ministers meet over rice", 2, topics=(DEAL, MEETING))
    bad = await filed(store, "A gala of the harbour", 3, topics=(MEETING,), status=None)
    later = await new(store, "Norway and Chile signed", 4)
    async with store.begin() as writing:
        await writing.record(
            Filed(
                entry=later,
                assessment=Assessment(scores={DEAL: 0.9}, development=0.1),
                reason=Reason.MORE_COVERAGE,
                topics=(DEAL,),
                development_id=deal,
            )
        )
    feedback = [said(deal, True), said(both, True), said(bad, False)]
    rows = {row["title"]: row for row in labels_of(feedback, await store.openings([deal, both, bad, "d0"])).rows}
    assert {k: v for k, v in rows["Norway and Chile sign a trade agreement"].items() if k != "key"} == {
        "title": "Norway and Chile sign a trade agreement",
        "summary": "Summary 1.",
        "published": "2026-03-02T11:00:00+00:00",
        "source": "wire",
        "t": 1,
        "m": 0,
        "n": 1,
        "s": "signed",
    }
    assert [rows["Ministers meet over rice"][k] for k in "tmnsp"] == [1, 1, 1, "signed", "held"]
    assert [rows["A gala of the harbour"].get(k) for k in "tmnsp"] == [0, 1, 0, None, None]


async def test_the_file_is_taken_by_training(tmp_path: Path, database: str) -> None:
    async with opened(tmp_path) as store:
        good, bad, tied = [await filed(store, f"Norway and Chile sign accord {n}", n) for n in range(3)]
        for one in (said(good, True), said(bad, False), said(tied, True), said(tied, False, "slack:U2")):
            await store.say(one)
    env = {**environ, "PYTHONPATH": str(ROOT), "ATTACHE_DATABASE_URL": url_of(tmp_path)}
    made = await create_subprocess_exec(
        sys.executable, "-m", "bot", "feedback", "export", "--out", "labels.jsonl", cwd=tmp_path, env=env, stdout=-1, stderr=-1
    )
    out, err = await made.communicate()
    assert (made.returncode, out, err.decode()) == (0, b"", "attache: 2 labelled, 1 left out as undecided, 0 as no longer kept\n")
    examples = {e.title: e for e in read_examples([tmp_path / "labels.jsonl"])}
    useful, not_relevant = examples["Norway and Chile sign accord 0"], examples["Norway and Chile sign accord 1"]
    assert (useful.trade, useful.meeting, useful.new, useful.stage, useful.body) == (True, False, True, Stage.SIGNED, "Summary 0.")
    assert (not_relevant.new, not_relevant.flagged) == (False, False)
    printed = await create_subprocess_exec(sys.executable, "-m", "bot", "feedback", "export", cwd=tmp_path, env=env, stdout=-1, stderr=-1)
    lines = (await printed.communicate())[0].decode().splitlines()
    assert {json.loads(line)["title"] for line in lines} == set(examples)
