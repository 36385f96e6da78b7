"""channels: subscriptions, mutes, feedback, installations, watch expressions, digests and edits"""

from alembic import op
import sqlalchemy as sa

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    _watch()
    _channels()
    op.add_column("alerts", sa.Column("step_changed", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.add_column("deliveries", sa.Column("digest", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.add_column("deliveries", sa.Column("batch", sa.String(length=40), nullable=True))
    op.add_column("deliveries", sa.Column("shown", sa.Integer(), server_default="0", nullable=False))
    op.add_column("deliveries", sa.Column("edit_due", MOMENT, nullable=True))


def _watch() -> None:
    op.rename_table("watch_keywords", "watch_terms")
    op.create_table(
        "watch_keywords",
        sa.Column("effect", sa.String(length=8), nullable=False),
        sa.Column("channel", sa.String(length=160), nullable=False),
        sa.Column("folded", sa.String(length=400), nullable=False),
        sa.Column("term", sa.Text(), nullable=False),
        sa.Column("added_by", sa.String(length=120), nullable=False),
        sa.Column("added_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("effect", "channel", "folded", name="pk_watch_expressions"),
    )
    op.execute(
        "INSERT INTO watch_keywords (effect, channel, folded, term, added_by, added_at)"
        " SELECT 'watch', '', folded, term, added_by, added_at FROM watch_terms"
    )
    op.drop_table("watch_terms")
    op.add_column("watch_changes", sa.Column("effect", sa.String(length=8), server_default="watch", nullable=False))
    op.add_column("watch_changes", sa.Column("channel", sa.String(length=160), server_default="", nullable=False))
    op.add_column("watch_changes", sa.Column("undone", sa.Boolean(), server_default=sa.false(), nullable=False))


def _channels() -> None:
    op.create_table(
        "subscriptions",
        sa.Column("surface", sa.String(length=16), nullable=False),
        sa.Column("address", sa.String(length=120), nullable=False),
        sa.Column("topics", sa.JSON(), nullable=False),
        sa.Column("parties", sa.JSON(), nullable=False),
        sa.Column("expression", sa.Text(), nullable=False),
        sa.Column("least", sa.Float(), nullable=False),
        sa.Column("cadence", sa.String(length=16), nullable=False),
        sa.Column("at", sa.String(length=5), nullable=False),
        sa.Column("quiet", sa.String(length=11), nullable=True),
        sa.Column("zone", sa.String(length=64), nullable=False),
        sa.Column("cap", sa.Integer(), nullable=True),
        sa.Column("team", sa.String(length=40), nullable=False),
        sa.Column("paused", sa.Text(), nullable=True),
        sa.Column("made_by", sa.String(length=120), nullable=False),
        sa.Column("made_at", MOMENT, nullable=True),
        sa.PrimaryKeyConstraint("surface", "address", name=op.f("pk_subscriptions")),
    )
    op.create_table(
        "mutes",
        sa.Column("surface", sa.String(length=16), nullable=False),
        sa.Column("address", sa.String(length=120), nullable=False),
        sa.Column("dossier_id", sa.String(length=120), nullable=False),
        sa.Column("actor", sa.String(length=120), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("until", MOMENT, nullable=True),
        sa.PrimaryKeyConstraint("surface", "address", "dossier_id", name=op.f("pk_mutes")),
    )
    op.create_table(
        "feedback",
        sa.Column("development_id", sa.String(length=32), nullable=False),
        sa.Column("surface", sa.String(length=16), nullable=False),
        sa.Column("address", sa.String(length=120), nullable=False),
        sa.Column("actor", sa.String(length=120), nullable=False),
        sa.Column("useful", sa.Boolean(), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["development_id"], ["developments.id"], name=op.f("fk_feedback_development_id_developments")),
        sa.PrimaryKeyConstraint("development_id", "surface", "address", "actor", name=op.f("pk_feedback")),
    )
    op.create_table(
        "installations",
        sa.Column("team", sa.String(length=40), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("token", sa.LargeBinary(), nullable=False),
        sa.Column("bot_user", sa.String(length=40), nullable=False),
        sa.Column("scopes", sa.Text(), nullable=False),
        sa.Column("installed_by", sa.String(length=120), nullable=False),
        sa.Column("installed_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("team", name=op.f("pk_installations")),
    )


def downgrade() -> None:
    for table in ("installations", "feedback", "mutes", "subscriptions", "watch_keywords"):
        op.drop_table(table)
    op.create_table(
        "watch_keywords",
        sa.Column("folded", sa.String(length=200), nullable=False),
        sa.Column("term", sa.Text(), nullable=False),
        sa.Column("added_by", sa.String(length=120), nullable=False),
        sa.Column("added_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("folded", name=op.f("pk_watch_keywords")),
    )
    for table, columns in (
        ("deliveries", ("edit_due", "shown", "batch", "digest")),
        ("alerts", ("step_changed",)),
        ("watch_changes", ("undone", "channel", "effect")),
    ):
        with op.batch_alter_table(table, schema=None) as batch_op:
            for column in columns:
                batch_op.drop_column(column)
