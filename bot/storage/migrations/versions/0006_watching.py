"""watching: keywords of more than a word become phrases, and what was seen lately is found fast"""

import re

from alembic import op
import sqlalchemy as sa

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

# One word in the language of watch expressions; anything else was meant word by word, and is so in quotes.
WORD = re.compile(r"(?![-–−])(?!(?:and|or|not)$)[^\s()\"“”„＂（）:：*＊]+", re.IGNORECASE)
NO_PHRASE = re.compile(r"[\"“”„＂*＊]")


def upgrade() -> None:
    op.create_index("ix_versions_seen", "versions", ["seen"])
    _keywords(op.get_bind())
    _changes(op.get_bind())


def _keywords(connection: sa.Connection) -> None:
    kept = connection.execute(sa.text("SELECT term, folded FROM watch_keywords ORDER BY added_at")).all()
    taken = {folded for term, folded in kept if WORD.fullmatch(term)}
    for term, folded in kept:
        if WORD.fullmatch(term):
            continue
        new = {"term": _phrase(term), "new": _phrase(folded), "folded": folded}
        twice = new["new"] in taken  # two that differed in quotation marks only
        taken.add(new["new"])
        change = "DELETE FROM watch_keywords" if twice else "UPDATE watch_keywords SET term = :term, folded = :new"
        connection.execute(sa.text(f"{change} WHERE folded = :folded"), {"folded": folded} if twice else new)


def _changes(connection: sa.Connection) -> None:
    for number, term in connection.execute(sa.text("SELECT id, term FROM watch_changes")).all():
        if not WORD.fullmatch(term):
            connection.execute(sa.text("UPDATE watch_changes SET term = :term WHERE id = :id"), {"term": _phrase(term), "id": number})


def _phrase(text: str) -> str:
    return f'"{" ".join(NO_PHRASE.sub(" ", text).split())}"'


def downgrade() -> None:
    op.drop_index("ix_versions_seen", table_name="versions")
