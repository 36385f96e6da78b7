"""words: full text by stems of our own, on PostgreSQL too; entries that a worker has claimed"""

from alembic import op
import sqlalchemy as sa

from bot.storage.words import Words

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

def upgrade() -> None:
    op.add_column("versions", sa.Column("claimed", sa.DateTime(timezone=True), nullable=True))
    connection = op.get_bind()
    if connection.dialect.name == "sqlite":
        _sqlite(connection)
    else:
        op.execute("CREATE TABLE development_words (rowid BIGINT PRIMARY KEY, words TSVECTOR NOT NULL)")
        op.execute("CREATE INDEX ix_development_words_words ON development_words USING GIN (words)")


def _sqlite(connection: sa.Connection) -> None:
    kept = connection.execute(sa.text("SELECT rowid, words FROM development_words")).all()
    op.execute("DROP TABLE development_words")
    op.execute("CREATE VIRTUAL TABLE development_words USING fts5(words, tokenize = 'unicode61')")
    words = Words()
    for rowid, text in kept:
        values = {"rowid": rowid, "words": " ".join(words.stems(text))}
        connection.execute(sa.text("INSERT INTO development_words (rowid, words) VALUES (:rowid, :words)"), values)


def downgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        op.execute("DROP TABLE development_words")
        op.execute("CREATE VIRTUAL TABLE development_words USING fts5(words, tokenize = 'porter unicode61 remove_diacritics 2')")
    else:
        op.execute("DROP TABLE development_words")
    with op.batch_alter_table("versions", schema=None) as batch_op:
        batch_op.drop_column("claimed")
