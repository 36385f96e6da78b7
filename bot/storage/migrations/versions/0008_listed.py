"""listed: when a source last listed anything, and when an old entry was last seen in its source's listing"""

from alembic import op
import sqlalchemy as sa

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

TABLES = ("sources", "entries")


def upgrade() -> None:
    for table in TABLES:
        op.add_column(table, sa.Column("listed", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    connection = op.get_bind()
    for table in TABLES:
        if connection.dialect.name == "sqlite":  # a batch would make the table anew, and what refers to it would go with the old one
            op.execute(f"ALTER TABLE {table} DROP COLUMN listed")
        else:
            op.drop_column(table, "listed")
