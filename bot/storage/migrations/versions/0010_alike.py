"""alike: words as we tell them apart, on SQLite; on PostgreSQL before 17 too an index of what waits is used"""

from alembic import op
import sqlalchemy as sa

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        _words("ascii")
    else:
        _waiting("waiting IS true")  # word for word what the queries say: `waiting` alone is not seen to follow from it before 17


def _words(tokenizer: str) -> None:
    op.execute(f"CREATE VIRTUAL TABLE development_words_new USING fts5(words, tokenize = '{tokenizer}')")
    op.execute("INSERT INTO development_words_new (rowid, words) SELECT rowid, words FROM development_words")
    op.execute("DROP TABLE development_words")
    op.execute("ALTER TABLE development_words_new RENAME TO development_words")


def _waiting(condition: str) -> None:
    op.drop_index("ix_versions_waiting", table_name="versions")
    op.create_index("ix_versions_waiting", "versions", ["published"], postgresql_where=sa.text(condition))


def downgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        _words("unicode61")
    else:
        _waiting("waiting")
