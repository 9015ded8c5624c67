"""The epoch of the store, raised when an older copy is restored.

Types are plain here, because a revision must not change when the code's own types do.
"""

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """See above."""


def downgrade() -> None:
    """Undo `upgrade`."""
