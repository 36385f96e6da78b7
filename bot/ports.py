"""The ports: what the pipeline and the use cases need from the outer rooms. Each docstring is the contract that its suite checks."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Collection, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Protocol

from bot.domain.alerts import Alert, Delivery, DeliveryState, Destination, Receipt
from bot.domain.assessment import Assessment
from bot.domain.decisions import Reason
from bot.domain.developments import Development, SummarySentence
from bot.domain.entries import Arrival, Entry, Kind, ParsedEntry, Source, SourceChange, SourceState
from bot.domain.subscriptions import Feedback, Mute, Planned, Subscription, Votes
from bot.domain.topics import Topic
from bot.domain.watch import Effect, Passage, WatchChange, WatchKeyword


class Clock(Protocol):
    """Time. Tests and replays bring their own."""

    def now(self) -> datetime:
        """Return the present instant, aware, in UTC."""
        ...


@dataclass(frozen=True, kw_only=True)
class Harvest:
    """What one poll of a source yielded. `unchanged`: the server said 304 and `entries` is empty. `problem`: entries came, but something was wrong with the feed.

    `moved`: where the source has moved for good; `asked`: the seconds between polls that the server or the feed asks for.
    """

    entries: tuple[ParsedEntry, ...] = ()
    unchanged: bool = False
    etag: str | None = None
    modified: str | None = None
    problem: str | None = None
    moved: str | None = None
    asked: float | None = None


class Reader(Protocol):
    """Reads a source."""

    async def read(self, source: Source, state: SourceState, now: datetime) -> Harvest:
        """Fetch and parse `source`, conditionally on what `state` holds.

        Entries come oldest first where dates tell, are plain text, and bear plausible dates or None. Raises SourceError when
        nothing could be read; never anything else; never blocks the event loop; bounded in time and memory.
        """
        ...


class Articles(Protocol):
    """Reads the pages that entries link to."""

    async def text(self, url: str, now: datetime) -> str | None:
        """Return the main text of the article at `url`, a line per paragraph, plain; None when nothing honest is to be had. Raises nothing."""
        ...


@dataclass(frozen=True, kw_only=True)
class Probe:
    """What an address gave when it was read once. `url` is the feed's address, `title` its own name, or its host: plain, at most 80 characters.

    `entries` is all that it lists, `newest` the latest date among them, `seconds` the time that the whole took, `problem` what was wrong
    although entries came, `moved` the address that a permanent redirect points to.
    """

    url: str
    title: str
    entries: tuple[ParsedEntry, ...]
    seconds: float
    newest: datetime | None = None
    problem: str | None = None
    moved: str | None = None


class Prober(Protocol):
    """Looks at an address before it becomes a source. Keeps nothing. Raises SourceError only; never blocks the loop; bounded in time and memory."""

    async def probe(self, url: str, kind: Kind | None, now: datetime) -> Probe:
        """Read `url` once as a source of a kind; None: as what its address says, a feed where it says nothing."""
        ...

    async def discover(self, url: str, now: datetime) -> Probe:
        """Read the feed at `url`, or the one that the web page at `url` names."""
        ...


class Classifier(Protocol):
    """Assesses entries."""

    async def assess(self, entries: Sequence[Entry]) -> list[Assessment]:
        """Return one assessment per entry, in order. Deterministic. Never blocks the event loop. Raises ModelError."""
        ...


@dataclass(frozen=True, kw_only=True)
class Telling:
    """One entry with its assessment, as the stories and the summaries read it.

    `article` is its page's text, where it was read; `draft` is what a model wrote of it, where one is set.
    """

    entry: Entry
    assessment: Assessment
    topics: tuple[Topic, ...]
    article: str = ""
    draft: str = ""


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """A recent development that a new telling may belong to, with what was told of it so far (oldest first, at most a few)."""

    development: Development
    tellings: tuple[Telling, ...]


@dataclass(frozen=True, kw_only=True)
class Match:
    """The stories' decision: the development it belongs to, or None for a new one; the probability and the features behind it."""

    development_id: str | None
    probability: float
    features: tuple[tuple[str, float], ...] = ()
    nearest: str | None = None


class Stories(Protocol):
    """Decides which development a telling belongs to. Pure: no store, no clock."""

    def keys(self, telling: Telling) -> tuple[str, ...]:
        """Return the keys under which the telling's development is to be found again: few, and rare enough to keep candidates few."""
        ...

    def match(self, telling: Telling, candidates: Sequence[Candidate]) -> Match:
        """Return the candidate that the telling belongs to, or a Match without a development."""
        ...


class Drafter(Protocol):
    """Writes sentences of its own from a telling."""

    async def draft(self, telling: Telling) -> str:
        """Return whole sentences without a name, number or date that the telling has not; "" where there is none such. Never blocks the loop."""
        ...


class Summarizer(Protocol):
    """Writes the two or three sentences."""

    def summarize(self, tellings: Sequence[Telling]) -> tuple[SummarySentence, ...]:
        """Return whole or trimmed sentences of the tellings, at most 400 characters together, each with the address of its source. Pure."""
        ...


@dataclass(frozen=True, kw_only=True)
class Intaken:
    """An item after intake: the entry as stored, and what it was found to be."""

    entry: Entry
    arrival: Arrival


@dataclass(frozen=True, kw_only=True)
class Document:
    """What a poll of a source listed. `fresh_from`: new entries that are older, or of unknown age, are the source's baseline."""

    source: str
    now: datetime
    entries: Sequence[ParsedEntry] = ()
    fresh_from: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Poll:
    """A document with the state that its source is in afterwards, given how many of its entries were new."""

    document: Document
    after: Callable[[int], SourceState]


@dataclass(frozen=True, kw_only=True)
class Taken:
    """What became of a poll's entries, and the state that was kept."""

    entries: Sequence[Intaken]
    state: SourceState


@dataclass(frozen=True, kw_only=True)
class Filed:
    """An assessed entry with the reason for what became of it."""

    entry: Entry
    assessment: Assessment
    reason: Reason
    topics: tuple[Topic, ...] = ()
    keyword: str | None = None
    development_id: str | None = None
    match: Match | None = None
    article: str = ""
    draft: str = ""


class Writing(Protocol):
    """One transaction of the pipeline: all of it is kept, or nothing."""

    async def intake(self, source: str, entries: Sequence[ParsedEntry], now: datetime, *, fresh_from: datetime | None) -> list[Intaken]:
        """Store what is new, as entries not yet assessed; add a version where a known entry's title changed; leave the rest alone.

        Given `fresh_from`, new entries that are older, or of unknown age, are the source's baseline.
        """
        ...

    async def take(self, polls: Sequence[Poll]) -> list[Taken]:
        """Take in what polls listed, as `intake` does, and keep the states that they leave behind; not `told`, which may have changed meanwhile."""
        ...

    async def record_health(self, states: Sequence[SourceState]) -> None:
        """Keep the health of sources, since when, and what was told of it; the rest of their states is left alone."""
        ...

    async def record(self, filed: Filed) -> None:
        """Keep an assessment and its reason; the entry counts as assessed from here on."""
        ...

    async def candidates(self, keys: Sequence[str], since: datetime) -> list[Candidate]:
        """Return the developments with a telling published after `since` that share a key; the cost does not grow with the store."""
        ...

    async def lock(self, names: Iterable[str]) -> None:
        """Until the end of the transaction keep others from filing under the same keys and dossiers; wait for those who do."""
        ...

    async def development_of(self, entry_id: int) -> str | None:
        """Return the development that an earlier version of the entry is filed under."""
        ...

    async def dossier(self, dossier_id: str) -> Sequence[Development]:
        """Return the dossier's developments, oldest first, without coverage."""
        ...

    async def save(self, development: Development, keys: Sequence[str]) -> None:
        """Create or update a development and its dossier, and the keys under which it is found."""
        ...

    async def told(self, since: datetime) -> dict[Destination, int]:
        """Return how many alerts raised after `since` go by themselves to each channel whose subscription has a cap."""
        ...

    async def enqueue(self, alert: Alert, plans: Mapping[Destination, Planned]) -> None:
        """Write the alert and one pending delivery per destination, as planned; a delivery that exists already is left alone."""
        ...

    async def outdate(self, development_id: str, due: datetime) -> None:
        """Have the messages about a development edited at `due` that show less of it than is known now; one edit that waits already serves."""
        ...


@dataclass(frozen=True, kw_only=True)
class SourceReport:
    """A source's health, and how many of its entries are kept."""

    state: SourceState
    entries: int

    @property
    def name(self) -> str:
        """The source's name."""
        return self.state.name


@dataclass(frozen=True, kw_only=True)
class Delay:
    """Seconds from one moment to another: the median and the 95th of 100."""

    median: float
    p95: float


@dataclass(frozen=True, kw_only=True)
class StatusReport:
    """The store in figures, for `status`. Delays are those of the last week: from publication to seen, from seen to sent; None without any."""

    entries: int
    developments: int
    alerts: int
    pending: int
    failed: int
    sources: tuple[SourceState, ...] = ()
    seen_seconds: Delay | None = None
    sent_seconds: Delay | None = None


@dataclass(frozen=True, kw_only=True)
class EntryReport:
    """All that is kept of an entry's judgement, for `why`."""

    entry: Entry
    assessment: Assessment | None
    reason: Reason | None
    keyword: str | None = None
    development: Development | None = None
    match: Match | None = None


@dataclass(frozen=True, kw_only=True)
class DeliveryReport:
    """What became of an alert in one channel; `at` is when it was sent or given up."""

    destination: Destination
    state: DeliveryState
    digest: bool = False
    at: datetime | None = None
    problem: str | None = None


@dataclass(frozen=True, kw_only=True)
class StoryReport:
    """A development with its coverage, its neighbours in its dossier of `of` developments, and its deliveries in order of their channels."""

    development: Development
    of: int
    before: Development | None = None
    after: Development | None = None
    deliveries: tuple[DeliveryReport, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Query:
    """What to look for among the developments. All conditions hold together; `parties` must all take part; `words` must all occur."""

    words: str = ""
    topic: Topic | None = None
    parties: tuple[str, ...] = field(default=())
    dossier: str | None = None
    planned_from: date | None = None  # meetings planned for this day or later, the soonest first
    limit: int = 5


class Library(Protocol):
    """The read side, the same for every surface, and the watch keywords."""

    async def developments(self, query: Query) -> list[Development]:
        """Return the developments that answer `query`, newest first, with coverage."""
        ...

    async def development(self, development_id: str) -> Development | None:
        """Return one development with its coverage; None when there is none such."""
        ...

    async def story(self, development_id: str) -> StoryReport | None:
        """Return all that is to be told of one development; None when there is none such."""
        ...

    async def openings(self, development_ids: Collection[str]) -> dict[str, Filed]:
        """Return by development the entry that opened it, as it was judged, without vector, words that weighed, match, article and draft."""
        ...

    async def keywords(self) -> list[WatchKeyword]:
        """Return the watch keywords, oldest first."""
        ...

    async def add_keyword(self, term: str, actor: str, now: datetime, *, effect: Effect = Effect.WATCH, channel: str = "") -> bool:
        """Add a watch keyword and record who and when; False when it was there already with this effect and channel (whatever its case)."""
        ...

    async def remove_keyword(self, term: str, actor: str, now: datetime, *, channel: str = "") -> bool:
        """Remove what has this term, everywhere or in `channel`, and record who and when; False when there is none such."""
        ...

    async def keyword_changes(self, limit: int) -> list[WatchChange]:
        """Return the latest changes of the watch keywords, newest first."""
        ...

    async def undo_keyword(self, actor: str, now: datetime) -> WatchChange | None:
        """Take the last change that was not taken back yet back, record who and when, and return it; None when there is none left."""
        ...

    def judged(self, since: datetime, least: float) -> AsyncGenerator[list[Filed], None]:
        """Yield, in portions, the latest arrival first, what was assessed of the entries that were seen at `since` or later.

        Only those whose score of a topic and of a new development reach `least`, which those do that were flagged. They come without vector,
        words that weighed, match, article and draft. The memory that it takes does not grow with their number.
        """
        ...

    async def why(self, name: str) -> EntryReport | None:
        """Return the report on the entry with this key or address, or on the entry that opened the development with this id."""
        ...

    async def source_changes(self) -> list[SourceChange]:
        """Return what admins changed about sources, oldest change first."""
        ...

    async def change_source(self, change: SourceChange, actor: str, now: datetime) -> None:
        """Keep a change in the place of an earlier one of the same name, with who and when."""
        ...

    async def revive_source(self, name: str) -> None:
        """Let a source that had retired, or failed for long, be polled again as if it had never failed."""
        ...

    async def source_reports(self) -> tuple[SourceReport, ...]:
        """Return the health of every source polled so far, by name."""
        ...

    async def status(self) -> StatusReport:
        """Return the store in figures."""
        ...


class Channels(Protocol):
    """What channels want, and what their people said."""

    async def subscriptions(self) -> list[Subscription]:
        """Return every subscription, those on pause too, in the order of their destinations."""
        ...

    async def subscription(self, destination: Destination) -> Subscription | None:
        """Return a channel's subscription; None where it has none."""
        ...

    async def subscribe(self, subscription: Subscription) -> None:
        """Keep a subscription in the place of the channel's earlier one."""
        ...

    async def unsubscribe(self, destination: Destination) -> bool:
        """Forget a channel's subscription and give up what waits for it; False when there was none."""
        ...

    async def pause(self, destination: Destination, problem: str | None) -> bool:
        """Pause a channel's subscription with the reason, or (None) let it go on; False when that changed nothing."""
        ...

    async def mutes(self, destination: Destination | None = None) -> list[Mute]:
        """Return the dossiers muted in a channel, or in all."""
        ...

    async def mute(self, mute: Mute) -> None:
        """Keep a mute in the place of an earlier one of the same dossier and channel."""
        ...

    async def unmute(self, destination: Destination, dossier_id: str) -> bool:
        """Forget a mute; False when there was none."""
        ...

    async def say(self, feedback: Feedback) -> int:
        """Keep what somebody said, in the place of what they said before; return how often the channel called alerts of the dossier not relevant."""
        ...

    async def feedback(self) -> list[Feedback]:
        """Return all feedback, oldest first."""
        ...

    async def votes(self, destination: Destination | None = None) -> Votes:
        """Return how often alerts were called useful and not relevant, in a channel or in all."""
        ...


class Deliveries(Protocol):
    """The outbox, as senders see it: in order for each destination, one message in hand, whatever the number of processes."""

    async def due(self, now: datetime) -> list[Subscription]:
        """Return the subscriptions, not on pause and not held, with something to send or to edit by `now`."""
        ...

    async def lease(self, destination: Destination, now: datetime, seconds: float) -> Delivery | None:
        """Take a destination's next message for `seconds`; None when there is none due, one is in hand, or the channel has to wait.

        What an earlier attempt left comes first, with the same key and members, and nothing overtakes it. Then one alert, or a digest: of the
        alerts that wait for one, most important first, or of the oldest where many are due by themselves. When nothing is to be sent, an edit.
        """
        ...

    async def sent(self, delivery: Delivery, receipt: Receipt, now: datetime) -> None:
        """Record that the platform has the message. Like all that follow: of the latest lease only."""
        ...

    async def edited(self, delivery: Delivery) -> None:
        """Record that the platform shows the message as it is in `delivery`."""
        ...

    async def put_back(self, delivery: Delivery, problem: str, due: datetime) -> None:
        """Return a message, or an edit, to the queue, not before `due`."""
        ...

    async def fail(self, delivery: Delivery, problem: str, now: datetime) -> None:
        """Give a message up, with the reason, or an edit, whose message then stays as it is."""
        ...

    async def hold(self, destination: Destination, until: datetime) -> None:
        """Lease nothing for any channel of the destination's workspace or server before `until`."""
        ...

    async def hasten(self, destination: Destination, now: datetime) -> int:
        """Let what waits for a channel's digest be due now; return how many alerts that are."""
        ...


@dataclass(frozen=True, kw_only=True)
class Queue:
    """How much waits, and how many seconds the oldest of it has been due."""

    depth: int
    seconds: float


@dataclass(frozen=True, kw_only=True)
class Figures:
    """The store in figures that change by themselves: what waits by surface, entries that wait for assessment, sources by health,
    when one was last read, and how many called an alert useful, or not, in the last month.
    """

    deliveries: Mapping[str, Queue]
    entries: Queue
    sources: Mapping[str, int]
    polled: datetime | None
    useful: int
    useless: int


class Gauges(Protocol):
    """The store seen from outside."""

    async def figures(self, now: datetime, listed: Collection[str] | None = None) -> Figures:
        """Return the figures, of sources those in `listed`; the cost does not grow with what is stored."""
        ...

    async def answers(self) -> bool:
        """Say whether the database answers, or raise whatever it does instead."""
        ...

    async def at_head(self) -> bool:
        """Say whether the schema is the one that this version knows, or a newer one; or raise what the database does."""
        ...


class Gazetteer(Protocol):
    """Knows countries and blocs."""

    def find(self, text: str) -> tuple[str, ...]:
        """Return the codes (ISO 3166 alpha-3, blocs) that `text` names, in order of importance, each once."""
        ...

    def name(self, code: str) -> str:
        """Return the English name for a reader: "India" for IND; the code itself when it is unknown."""
        ...

    def flag(self, code: str) -> str:
        """Return the flag emoji of a country or bloc that has one, else an empty string."""
        ...

    def codes(self) -> tuple[str, ...]:
        """Return the codes of all countries and blocs that it knows."""
        ...


class Store(Library, Channels, Deliveries, Protocol):
    """The whole store. Durable; safe for several tasks of one process."""

    def begin(self) -> AbstractAsyncContextManager[Writing]:
        """Open a transaction; committed on leaving, rolled back on an exception."""
        ...

    async def source_states(self, names: Sequence[str] | None = None) -> dict[str, SourceState]:
        """Return the state of every source polled so far, or of those with these names, by name."""
        ...

    async def take(self, poll: Poll) -> Taken:
        """Keep a poll's entries and its source's state together, perhaps in one transaction with other polls."""
        ...

    async def unassessed(self, limit: int) -> list[Entry]:
        """Return entries that wait for assessment, oldest publication first."""
        ...


class Notifier(Protocol):
    """Reaches the admins."""

    async def notify(self, text: str) -> None:
        """Post plain `text` to the admins' channel: it can neither ping nor format. Raises TemporaryDeliveryError or FinalDeliveryError."""
        ...


@dataclass(frozen=True, kw_only=True)
class Installation:
    """A Slack workspace (`team`) that installed the app, with the token that speaks for it there. `scopes` are what the workspace allowed."""

    team: str
    name: str
    token: str = field(repr=False)
    bot_user: str
    scopes: tuple[str, ...] = ()
    installed_by: str
    installed_at: datetime


class Installations(Protocol):
    """The workspaces that installed the app by OAuth. Tokens are encrypted at rest."""

    async def installation(self, team: str) -> Installation | None:
        """Return a workspace's installation; None where it has none. Raises SettingsError for a token that none of our keys opens."""
        ...

    async def install(self, installation: Installation) -> None:
        """Keep an installation in the place of the workspace's earlier one."""
        ...

    async def uninstall(self, team: str) -> bool:
        """Forget a workspace's installation and its token; False when there was none."""
        ...


class Sender(Protocol):
    """Puts messages on one surface."""

    async def send(self, delivery: Delivery) -> Receipt:
        """Post the alert, in the thread of `delivery.thread` where there is one. Pings nobody; its text cannot format or link beyond what the renderer meant.

        The message carries `delivery.key`, so that the platform or a later look can tell a second attempt. Raises
        TemporaryDeliveryError or FinalDeliveryError, never the platform's own; its text holds no token. With `delivery.digest` the
        message is a digest of those alerts. With `delivery.broadcast` the channel sees the threaded message too.
        """
        ...

    async def edit(self, delivery: Delivery) -> None:
        """Show the alert as it is now in the message `delivery.message_id`, pinging nobody. Raises as `send`; a message that is gone is no error."""
        ...


class Condition(Protocol):
    """A watch expression, compiled."""

    @property
    def text(self) -> str:
        """The expression in its canonical form: compiled again it is the same condition."""
        ...

    def matches(self, passage: Passage) -> bool:
        """Say whether `passage` satisfies the expression. Pure, in time linear in the passage."""
        ...


class WatchLanguage(Protocol):
    """The language of watch keywords: phrases, AND OR NOT, parentheses, prefix*, country: person: topic: source:."""

    def compile(self, expression: str) -> Condition:
        """Return the condition that `expression` states; the last ones are kept. Safe for several threads.

        Raises UsageError that shows the place of the mistake and what was expected there.
        """
        ...
