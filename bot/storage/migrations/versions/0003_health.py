"""how every source is; what admins changed in the list"""

from typing import Any

from alembic import op
import sqlalchemy as sa

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)


def columns() -> list[sa.Column[Any]]:
    return [
        sa.Column("arrived", MOMENT, nullable=True),
        sa.Column("rhythm", sa.Float(), nullable=True),
        sa.Column("asked", sa.Float(), nullable=True),
        sa.Column("not_before", MOMENT, nullable=True),
        sa.Column("window_passed", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("retired", MOMENT, nullable=True),
        sa.Column("moved", sa.Text(), nullable=True),
        sa.Column("moved_from", sa.Text(), nullable=True),
        sa.Column("health", sa.String(length=16), server_default="ok", nullable=False),
        sa.Column("since", MOMENT, nullable=True),
        sa.Column("told", sa.String(length=16), nullable=True),
    ]


def upgrade() -> None:
    for column in columns():
        op.add_column("sources", column)
    op.create_table(
        "source_changes",
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("url", sa.Text(), nullable=True),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("paused", sa.Boolean(), nullable=False),
        sa.Column("removed", sa.Boolean(), nullable=False),
        sa.Column("actor", sa.String(length=120), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_source_changes")),
    )


def downgrade() -> None:
    op.drop_table("source_changes")
    with op.batch_alter_table("sources", schema=None) as batch_op:
        for column in columns():
            batch_op.drop_column(column.name)
