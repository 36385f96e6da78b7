"""The language of watch keywords (port `WatchLanguage`): phrases, AND OR NOT, prefix*, country: person: topic: source:.

Lark reads an expression with an LALR grammar: one token ahead, no backtracking, so time is linear in the expression.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import NoReturn

from lark import Lark, Token, Transformer
from lark.exceptions import UnexpectedCharacters, UnexpectedToken

from bot.domain.errors import UsageError
from bot.domain.text import fold
from bot.domain.topics import Topic
from bot.domain.watch import MAX_EXPRESSION
from bot.judge.conditions import (
    QUOTES,
    Both,
    Country,
    Either,
    FromSource,
    Negated,
    Node,
    OnTopic,
    Reading,
    WatchCondition,
    WithPerson,
    Words,
    spaced,
    words_of,
)
from bot.ports import Gazetteer

MAX_TERMS, MAX_DEPTH = 40, 20
MIN_PREFIX = 2
KEPT_CONDITIONS = 1_024
BEFORE, AFTER = 60, 40  # characters of an expression that are shown around a mistake

_GRAMMAR = rf"""
start: either
?either: both (_OR both)*
?both: unary (_AND? unary)*
?unary: (_NOT | _MINUS) unary -> negated
      | _LPAR either _RPAR
      | FIELD -> field
      | PHRASE -> phrase
      | WORD -> word

_OR.4: /OR(?![^\s(){QUOTES}（）])/
_AND.4: /AND(?![^\s(){QUOTES}（）])/
_NOT.4: /NOT(?![^\s(){QUOTES}（）])/
_MINUS.4: /[-–−](?=\S)/
FIELD.3: /[A-Za-z_]+[:：](?:[{QUOTES}][^{QUOTES}]*[{QUOTES}]|[^\s(){QUOTES}（）]*)/
PHRASE.2: /[{QUOTES}][^{QUOTES}]*[{QUOTES}]/
_LPAR.2: /[(（]/
_RPAR.2: /[)）]/
WORD: /[^\s(){QUOTES}（）]+/
%ignore /\s+/
"""
_TOPIC_OF = {
    **dict.fromkeys(("trade", "trades", "deal", "deals", "trade_deal", "trade deal"), Topic.TRADE_DEAL),
    **dict.fromkeys(("meeting", "meetings", "ministerial", "ministerial_meeting", "ministerial meeting"), Topic.MINISTERIAL_MEETING),
}
_FIELDS = "country:, person:, topic: or source:"
_TERM = f"a term (a word, a “phrase”, a prefix*, {_FIELDS})"
_NAMES = {"_AND": "AND", "_OR": "OR", "_NOT": "NOT", "_LPAR": "“(”", "_RPAR": "“)”", "$END": "the end"}


class _MisplacedError(Exception):
    """What is wrong with an expression, and at which character."""

    def __init__(self, problem: str, at: int) -> None:
        super().__init__(problem)
        self.problem = problem
        self.at = at


class _Builder(Transformer[Token, Node]):
    """Makes the parts of a condition from the parts of an expression."""

    def __init__(self, gazetteer: Gazetteer, reading: Reading) -> None:
        super().__init__()
        self._gazetteer = gazetteer
        self._reading = reading

    def start(self, parts: list[Node]) -> Node:
        return parts[0]

    def either(self, parts: list[Node]) -> Node:
        return Either(tuple(inner for part in parts for inner in (part.parts if isinstance(part, Either) else (part,))))

    def both(self, parts: list[Node]) -> Node:
        return Both(tuple(inner for part in parts for inner in (part.parts if isinstance(part, Both) else (part,))))

    def negated(self, parts: list[Node | Token]) -> Node:
        part = parts[-1]
        return part.part if isinstance(part, Negated) else Negated(part)  # type: ignore[arg-type]  # the last is what is negated

    def word(self, parts: list[Token]) -> Node:
        return self._wanted(parts[0], str(parts[0]), 0)

    def phrase(self, parts: list[Token]) -> Node:
        return self._wanted(parts[0], parts[0][1:-1], 1)

    def _wanted(self, token: Token, text: str, offset: int) -> Node:
        """The words of `text`, which stands `offset` characters into `token`; a last one that ends with * is a prefix."""
        text = text.rstrip()
        star = re.search(r"[*＊]", text)
        if star and star.end() != len(text):
            _wrong("* stands at the end of a word or phrase", token, offset + star.start())
        words = _wanted_words(text, token)
        if not star:
            return Words(text.strip(), spaced(self._reading.stems(words)))
        if not text[-2:-1].isalnum() or len(words[-1]) < MIN_PREFIX:
            _wrong(f"a prefix has at least {MIN_PREFIX} letters before *", token, offset + star.start())
        return Words(text.strip(), spaced(self._reading.stems(words[:-1])), f" {words[-1]}")

    def field(self, parts: list[Token]) -> Node:
        token = parts[0]
        name, value = re.split("[:：]", token, maxsplit=1)
        value = value.strip(QUOTES).strip()
        make = {"country": self._country, "person": self._person, "topic": self._topic, "source": self._source}.get(name.casefold())
        if make is None:
            _wrong(f"there is no “{name[:20]}:”, only {_FIELDS}; put it in quotes if it is a word", token)
        if not value:
            _wrong(f"{name.casefold()}: wants what it is right after it", token, len(token))
        return make(value, token)

    def _country(self, value: str, token: Token) -> Node:
        found = self._codes(value)
        if len(found) != 1:
            problem = "names more than one" if found else "is no country or bloc that is known: try a name (India) or a code (IND)"
            _wrong(f"“{value[:40]}” {problem}", token, len("country:"))
        return Country(found[0])

    def _codes(self, value: str) -> tuple[str, ...]:
        upper = value.upper()
        known = self._gazetteer.name(upper) != upper or upper in self._gazetteer.find(upper)
        return (upper,) if known and upper.isalnum() else self._gazetteer.find(value)

    def _person(self, value: str, token: Token) -> Node:
        return WithPerson(value, _named(value, token))

    def _source(self, value: str, token: Token) -> Node:
        return FromSource(value, _named(value, token))

    def _topic(self, value: str, token: Token) -> Node:
        topic = _TOPIC_OF.get(value.casefold())
        if topic is None:
            _wrong(f"“{value[:40]}” is no topic: topic:trade or topic:meeting", token, len("topic:"))
        return OnTopic(topic)


def _wanted_words(text: str, token: Token) -> list[str]:
    """The words of a term. Raises where there is none."""
    words = words_of(text)
    if not any(c.isalnum() for word in words for c in word):
        _wrong("a term needs a letter or a digit", token)
    return words


def _named(value: str, token: Token) -> str:
    """What a name must hold: the words, the last of them perhaps only begun."""
    words = spaced(_wanted_words(value, token))
    return words.rstrip() if value.endswith("*") else words


def _wrong(problem: str, token: Token, offset: int = 0) -> NoReturn:
    raise _MisplacedError(problem, (token.start_pos or 0) + offset)


class Watching:
    """The language, ready to compile. Holds no keywords; keeps the conditions that were compiled last."""

    def __init__(self, gazetteer: Gazetteer) -> None:
        self._reading = Reading()
        self._lark = Lark(_GRAMMAR, parser="lalr", lexer="basic", transformer=_Builder(gazetteer, self._reading))
        self._compiled = lru_cache(KEPT_CONDITIONS)(self._compile)

    def compile(self, expression: str) -> WatchCondition:
        """See `WatchLanguage.compile`."""
        return self._compiled(expression)

    def _compile(self, expression: str) -> WatchCondition:
        text = _clean(expression) if len(expression) <= MAX_EXPRESSION * 4 else expression
        if len(text) > MAX_EXPRESSION:
            raise UsageError(f"That expression is too long: at most {MAX_EXPRESSION} characters.")
        condition = WatchCondition(self._parsed(text), self._reading)
        if max(len(condition.text), len(fold(condition.text))) > MAX_EXPRESSION:
            raise UsageError(f"That expression is too long when it is written out: at most {MAX_EXPRESSION} characters.")
        return condition

    def _parsed(self, text: str) -> Node:
        try:
            return self._node(text)
        except UnexpectedToken as error:
            at = len(text) if error.token.type == "$END" else error.token.start_pos or 0
            raise _mistake(f"expected {self._expected(text[:at])}", text, at) from error
        except UnexpectedCharacters as error:
            raise _mistake("this quotation mark has no partner", text, error.pos_in_stream or 0) from error
        except _MisplacedError as error:
            raise _mistake(error.problem, text, error.at) from error

    def _expected(self, before: str) -> str:
        """What may stand after the words before a mistake: asked anew, for at the mistake itself the parser knows less."""
        parser = self._lark.parse_interactive(before)
        parser.exhaust_lexer()
        return _listed(parser.accepts())  # type: ignore[no-untyped-call]  # lark types its interactive parser in part

    def _node(self, text: str) -> Node:
        parser = self._lark.parse_interactive(text)
        terms = depth = 0
        token: Token | None = None
        for token in parser.iter_parse():
            terms += token.type in ("WORD", "PHRASE", "FIELD")
            depth += {"_LPAR": 1, "_RPAR": -1}.get(token.type, 0)
            if terms > MAX_TERMS:
                _wrong(f"more than {MAX_TERMS} terms", token)
            if depth > MAX_DEPTH:
                _wrong(f"more than {MAX_DEPTH} brackets inside each other", token)
        node: Node = parser.feed_eof(token)  # type: ignore[no-untyped-call]  # as above
        return node


def _clean(expression: str) -> str:
    """The expression on one line, without what does not show."""
    text = "".join(" " if c.isspace() else c for c in expression if c.isprintable() or c.isspace())
    return " ".join(unicodedata.normalize("NFC", text).split())


def _listed(names: set[str]) -> str:
    found = [_TERM] if "WORD" in names else []
    found += [shown for name, shown in _NAMES.items() if name in names]
    return f"{', '.join(found[:-1])} or {found[-1]}"


def _mistake(problem: str, text: str, at: int) -> UsageError:
    """The expression with a caret right before the place of the mistake: within the line, for chats neither keep columns nor line breaks."""
    before, after = text[max(0, at - BEFORE) : at], text[at : at + AFTER]
    shown = f"{'…' if at > BEFORE else ''}{before}^{after}{'…' if len(text) > at + AFTER else ''}"
    return UsageError(f"Not understood at ^ (character {at + 1}): {shown} – {problem}.")
