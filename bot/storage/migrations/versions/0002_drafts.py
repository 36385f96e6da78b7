"""what a summary model wrote of an entry; the index without which filing grows slower with the store"""

from alembic import op
import sqlalchemy as sa

revision = '0002'
down_revision = '0001'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('judgements', sa.Column('draft', sa.Text(), nullable=True))
    op.create_index(op.f('ix_story_keys_development_id'), 'story_keys', ['development_id'], unique=False)


def downgrade() -> None:
    op.drop_index(op.f('ix_story_keys_development_id'), 'story_keys')
    op.drop_column('judgements', 'draft')
