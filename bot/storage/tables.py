"""The tables. Instants are stored in UTC; JSON columns hold small values that are never searched by their inside."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
    false,
    text,
)
from sqlalchemy.engine import Dialect

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)

Id = BigInteger().with_variant(Integer, "sqlite")  # only INTEGER counts up by itself on SQLite


class Moment(TypeDecorator[datetime]):
    """An aware datetime in UTC; SQLite forgets the zone, so it is put back on reading. A naive one is refused."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse a naive datetime, store UTC."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"naive datetime {value!r}")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Give the zone back."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


sources = Table(
    "sources",
    metadata,
    Column("name", String(200), primary_key=True),
    Column("etag", Text),
    Column("modified", Text),
    Column("polled", Moment),
    Column("newest", Moment),
    Column("failures", Integer, nullable=False),
    Column("problem", Text),
    Column("arrived", Moment),
    Column("rhythm", Float),
    Column("asked", Float),
    Column("not_before", Moment),
    Column("window_passed", Boolean, nullable=False, server_default=false()),
    Column("retired", Moment),
    Column("moved", Text),
    Column("moved_from", Text),
    Column("health", String(16), nullable=False, server_default="ok"),
    Column("since", Moment),
    Column("told", String(16)),
    Column("listed", Moment),
)

# What admins changed in the list of sources: a source of their own (`url`), or a listed one that is paused or removed.
source_changes = Table(
    "source_changes",
    metadata,
    Column("name", String(200), primary_key=True),
    Column("url", Text),
    Column("kind", String(16), nullable=False),
    Column("paused", Boolean, nullable=False),
    Column("removed", Boolean, nullable=False),
    Column("actor", String(120), nullable=False),
    Column("at", Moment, nullable=False),
)

entries = Table(
    "entries",
    metadata,
    Column("id", Id, primary_key=True),
    Column("source", String(200), nullable=False),
    Column("url", Text, nullable=False),
    Column("published", Moment, nullable=False),
    Column("seen", Moment, nullable=False),
    Column("baseline", Boolean, nullable=False),
    Column("publisher", Text),
    Column("listed", Moment),  # when it was old already and its source still listed it (bot.domain.retention)
    Index(None, "source", "published"),
)

# One row a version; the newest is the entry as it stands. `assessed` is when its judgement was recorded.
versions = Table(
    "versions",
    metadata,
    Column("id", Id, primary_key=True),
    Column("entry_id", Id, ForeignKey("entries.id", ondelete="CASCADE"), nullable=False),
    Column("number", Integer, nullable=False),
    Column("key", String(64), nullable=False, unique=True),
    Column("title", Text, nullable=False),
    Column("summary", Text, nullable=False),
    Column("published", Moment, nullable=False),
    Column("seen", Moment, nullable=False),
    Column("waiting", Boolean, nullable=False),
    Column("claimed", Moment),  # until when a worker has it in hand; with one process, never
    UniqueConstraint("entry_id", "number"),
)
Index("ix_versions_seen", versions.c.seen)
Index("ix_versions_waiting", versions.c.published, sqlite_where=versions.c.waiting.is_(True), postgresql_where=versions.c.waiting.is_(True))

# The names under which an entry is known: guid, address, text (bot.domain.entries.identities).
identities = Table(
    "identities",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("entry_id", Id, ForeignKey("entries.id", ondelete="CASCADE"), nullable=False, index=True),
)

judgements = Table(
    "judgements",
    metadata,
    Column("version_id", Id, ForeignKey("versions.id", ondelete="CASCADE"), primary_key=True),
    Column("reason", String(32), nullable=False),
    Column("scores", JSON, nullable=False),
    Column("development", Float, nullable=False),
    Column("stage", String(16)),
    Column("status", String(16)),
    Column("facts", JSON, nullable=False),
    Column("moved", JSON, nullable=False),
    Column("topics", JSON, nullable=False),
    Column("vector", LargeBinary),
    Column("model", String(64), nullable=False),
    Column("keyword", Text),
    Column("development_id", String(32), index=True),
    Column("match", JSON),
    Column("article", Text),
    Column("draft", Text),
)

dossiers = Table(
    "dossiers",
    metadata,
    Column("id", String(120), primary_key=True),
    Column("topic", String(32), nullable=False),
    Column("parties", JSON, nullable=False),
    Column("stage", String(16)),
    Column("opened", Moment, nullable=False),
    Column("updated", Moment, nullable=False),
)

developments = Table(
    "developments",
    metadata,
    Column("number", Id, primary_key=True),  # the row of the full-text index
    Column("id", String(32), nullable=False, unique=True),
    Column("dossier_id", String(120), ForeignKey("dossiers.id"), nullable=False),
    Column("step", Integer, nullable=False),
    Column("topics", JSON, nullable=False),
    Column("trade_deal", Boolean, nullable=False),
    Column("ministerial_meeting", Boolean, nullable=False),
    Column("headline", Text, nullable=False),
    Column("url", Text, nullable=False),
    Column("stage", String(16)),
    Column("status", String(16)),
    Column("parties", JSON, nullable=False),
    Column("people", JSON, nullable=False),
    Column("place", Text),
    Column("day", String(10)),
    Column("summary", JSON, nullable=False),
    Column("importance", Float, nullable=False),
    Column("first_published", Moment, nullable=False),
    Column("last_published", Moment, nullable=False),
    Column("alerted_at", Moment),
    Index(None, "dossier_id", "step"),
    Index(None, "first_published"),
)

PLANNED = text("status = 'planned'")  # written out, as below
Index("ix_developments_planned", developments.c.day, sqlite_where=PLANNED, postgresql_where=PLANNED)

# The entries that report a development, in order of arrival.
coverage = Table(
    "coverage",
    metadata,
    Column("version_id", Id, ForeignKey("versions.id", ondelete="CASCADE"), primary_key=True),
    Column("development_id", String(32), ForeignKey("developments.id"), nullable=False, index=True),
)

parties = Table(
    "parties",
    metadata,
    Column("development_id", String(32), ForeignKey("developments.id"), primary_key=True),
    Column("code", String(16), primary_key=True),
    Index(None, "code", "development_id"),
)

# Where a new telling looks for the development it may belong to; old ones fall out of every query by `last_published`.
story_keys = Table(
    "story_keys",
    metadata,
    Column("key", String(64), primary_key=True),
    Column("development_id", String(32), ForeignKey("developments.id"), primary_key=True, index=True),
    Column("last_published", Moment, nullable=False),
    Index(None, "key", "last_published"),
)

alerts = Table(
    "alerts",
    metadata,
    Column("development_id", String(32), ForeignKey("developments.id"), primary_key=True),
    Column("raised", Moment, nullable=False),
    Column("follow_up", Text),
    Column("step_changed", Boolean, nullable=False, server_default=false()),
)

# The outbox.
deliveries = Table(
    "deliveries",
    metadata,
    Column("id", Id, primary_key=True),
    Column("development_id", String(32), ForeignKey("alerts.development_id"), nullable=False),
    Column("surface", String(16), nullable=False),
    Column("address", String(120), nullable=False),
    Column("state", String(16), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("due", Moment, nullable=False),
    Column("leased_until", Moment),
    Column("created", Moment, nullable=False),
    Column("sent", Moment),
    Column("message_id", String(120)),
    Column("problem", Text),
    Column("digest", Boolean, nullable=False, server_default=false()),  # goes out gathered with the others that are due by then
    Column("batch", String(40)),  # the key of the digest that it went out with
    Column("shown", Integer, nullable=False, server_default="0"),  # what the message shows (bot.domain.alerts.fingerprint)
    Column("edit_due", Moment),  # when the message is to be brought up to date
    Column("edits", Integer, nullable=False, server_default="0"),  # attempts at the present edit
    Column("begun", Moment),  # the first attempt
    UniqueConstraint("development_id", "surface", "address"),
    Index(None, "surface", "address", "state", "id"),
)
# Conditions with an index each. They are written out, not bound: a database uses such an index only where it sees the same words.
WAITING = text("state IN ('pending', 'sending')")
BEGUN = text("attempts > 0 AND state IN ('pending', 'sending')")
EDITED = text("state = 'sent' AND (edit_due IS NOT NULL OR leased_until IS NOT NULL)")
_TO = (deliveries.c.surface, deliveries.c.address)
Index("ix_deliveries_waiting", *_TO, deliveries.c.due, sqlite_where=WAITING, postgresql_where=WAITING)
Index("ix_deliveries_begun", *_TO, deliveries.c.id, sqlite_where=BEGUN, postgresql_where=BEGUN)
Index("ix_deliveries_edited", *_TO, deliveries.c.edit_due, sqlite_where=EDITED, postgresql_where=EDITED)

# Workspaces and servers to which nothing is sent for a while, for their platform asked us to wait or is ill.
holds = Table(
    "holds",
    metadata,
    Column("surface", String(16), primary_key=True),
    Column("team", String(40), primary_key=True),
    Column("until", Moment, nullable=False),
)

watch_keywords = Table(
    "watch_keywords",
    metadata,
    Column("effect", String(8), primary_key=True),
    Column("channel", String(160), primary_key=True),
    Column("folded", String(400), primary_key=True),
    Column("term", Text, nullable=False),
    Column("added_by", String(120), nullable=False),
    Column("added_at", Moment, nullable=False),
)

watch_changes = Table(
    "watch_changes",
    metadata,
    Column("id", Id, primary_key=True),
    Column("at", Moment, nullable=False),
    Column("actor", String(120), nullable=False),
    Column("action", String(16), nullable=False),
    Column("term", Text, nullable=False),
    Column("effect", String(8), nullable=False, server_default="watch"),
    Column("channel", String(160), nullable=False, server_default=""),
    Column("undone", Boolean, nullable=False, server_default=false()),
)

# A channel that wants alerts (bot.domain.subscriptions.Subscription).
subscriptions = Table(
    "subscriptions",
    metadata,
    Column("surface", String(16), primary_key=True),
    Column("address", String(120), primary_key=True),
    Column("topics", JSON, nullable=False),
    Column("parties", JSON, nullable=False),
    Column("expression", Text, nullable=False),
    Column("least", Float, nullable=False),
    Column("cadence", String(16), nullable=False),
    Column("at", String(5), nullable=False),
    Column("quiet", String(11)),
    Column("zone", String(64), nullable=False),
    Column("cap", Integer),
    Column("team", String(40), nullable=False),
    Column("paused", Text),
    Column("made_by", String(120), nullable=False),
    Column("made_at", Moment),
)

mutes = Table(
    "mutes",
    metadata,
    Column("surface", String(16), primary_key=True),
    Column("address", String(120), primary_key=True),
    Column("dossier_id", String(120), primary_key=True),
    Column("actor", String(120), nullable=False),
    Column("at", Moment, nullable=False),
    Column("until", Moment),
)

feedback = Table(
    "feedback",
    metadata,
    Column("development_id", String(32), ForeignKey("developments.id"), primary_key=True),
    Column("surface", String(16), primary_key=True),
    Column("address", String(120), primary_key=True),
    Column("actor", String(120), primary_key=True),
    Column("useful", Boolean, nullable=False),
    Column("at", Moment, nullable=False),
)

# Slack workspaces that installed the app by OAuth; the token is encrypted with a key from the environment.
installations = Table(
    "installations",
    metadata,
    Column("team", String(40), primary_key=True),
    Column("name", Text, nullable=False),
    Column("token", LargeBinary, nullable=False),
    Column("bot_user", String(40), nullable=False),
    Column("scopes", Text, nullable=False),
    Column("installed_by", String(120), nullable=False),
    Column("installed_at", Moment, nullable=False),
)
