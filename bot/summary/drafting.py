"""Sentences written by a seq2seq model of the admin's choice (`ATTACHE_SUMMARY_MODEL`, extra `attache[torch]`; port `Drafter`).

The model sees one telling at a time, and each sentence that it writes must pass the gate against that very telling: so a sentence has
one source, and what no source says is never shown. The sentences then compete like those of the feeds; see `extractive`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor
from typing import Any

from bot.domain.errors import ModelError
from bot.domain.reading import passage
from bot.domain.text import plain, sentences
from bot.ports import Telling
from bot.summary.extractive import ARTICLE_LINES, whole
from bot.summary.faithful import Gate

MIN_WORDS = 40  # of a telling: from less there is nothing to condense
MAX_TOKENS_IN, MAX_TOKENS_OUT = 512, 120

Writer = Callable[[str], str]


def load_writer(name: str) -> Writer:
    """Return a function from text to summary, with the seq2seq model of this name or folder. Deterministic, blocks. Raises ModelError."""
    try:
        from transformers import AutoModelForSeq2SeqLM, AutoTokenizer

        tokenizer: Any = AutoTokenizer.from_pretrained(name)
        model: Any = AutoModelForSeq2SeqLM.from_pretrained(name).eval()
    except Exception as error:  # transformers, torch and the hub raise types of their own, without a common base
        raise ModelError(f"the model {name!r} cannot be loaded as a seq2seq model: {error} (is attache[torch] installed?)") from error
    prefix = str(((getattr(model.config, "task_specific_params", None) or {}).get("summarization") or {}).get("prefix", ""))

    def write(text: str) -> str:
        inputs = tokenizer(prefix + text, truncation=True, max_length=MAX_TOKENS_IN, return_tensors="pt")
        made = model.generate(
            input_ids=inputs["input_ids"],
            attention_mask=inputs["attention_mask"],
            max_new_tokens=MAX_TOKENS_OUT,
            num_beams=4,
            do_sample=False,
        )
        return str(tokenizer.decode(made[0], skip_special_tokens=True))

    return write


class SeqToSeqDrafter:
    """Writes and checks drafts, off the event loop. `executor` has one thread, and is its owner's to shut down."""

    def __init__(self, *, writer: Writer, executor: Executor) -> None:
        self._write = writer
        self._executor = executor
        self._gate = Gate()

    async def draft(self, telling: Telling) -> str:
        """See `Drafter.draft`."""
        return await asyncio.get_running_loop().run_in_executor(self._executor, self._draft, telling)

    def _draft(self, telling: Telling) -> str:
        source = text_of(telling)
        if len(source.split()) < MIN_WORDS:
            return ""
        kept = [s for s in map(whole, sentences(plain(self._write(source)))) if s and self._gate.passes(s, source)]
        return " ".join(kept)


def text_of(telling: Telling) -> str:
    """Return all that a telling says: title, summary, the beginning of its article."""
    title, body = passage(telling.entry.title, telling.entry.summary)
    article = " ".join(telling.article.splitlines()[:ARTICLE_LINES])
    return ". ".join(part.rstrip(".") for part in (title, body, article) if part) + "."
