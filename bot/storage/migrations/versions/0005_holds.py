"""holds: the outbox over many workspaces, edits with attempts of their own"""

from alembic import op
import sqlalchemy as sa

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)
INDEXES = (
    ("ix_deliveries_waiting", "due", "state IN ('pending', 'sending')"),
    ("ix_deliveries_begun", "id", "attempts > 0 AND state IN ('pending', 'sending')"),
    ("ix_deliveries_edited", "edit_due", "state = 'sent' AND (edit_due IS NOT NULL OR leased_until IS NOT NULL)"),
)


def upgrade() -> None:
    op.add_column("deliveries", sa.Column("edits", sa.Integer(), server_default="0", nullable=False))
    op.add_column("deliveries", sa.Column("begun", MOMENT, nullable=True))
    op.execute("UPDATE deliveries SET leased_until = NULL WHERE state = 'sent'")
    for name, column, where in INDEXES:
        condition = sa.text(where)
        op.create_index(name, "deliveries", ["surface", "address", column], sqlite_where=condition, postgresql_where=condition)
    op.create_table(
        "holds",
        sa.Column("surface", sa.String(length=16), nullable=False),
        sa.Column("team", sa.String(length=40), nullable=False),
        sa.Column("until", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("surface", "team", name=op.f("pk_holds")),
    )


def downgrade() -> None:
    op.drop_table("holds")
    for name, _, __ in INDEXES:
        op.drop_index(name, table_name="deliveries")
    with op.batch_alter_table("deliveries", schema=None) as batch_op:
        batch_op.drop_column("begun")
        batch_op.drop_column("edits")
