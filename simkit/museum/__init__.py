"""Defects that real stacks had, each a small machine with one thing wrong: what a test of session timers must catch.

Each piece says what people saw, what was wrong, which rules that breaks and where it was seen.
"""

from collections.abc import Mapping
from typing import Final

from . import expiry_bookkeeping, negotiation, proxies, refresh_transaction, teardown, who_refreshes
from .piece import Absence, Machine, Piece, Visible

__all__ = ["ABSENT", "PIECES", "Absence", "Machine", "Piece", "Visible"]

PIECES: Final[Mapping[str, Piece]] = {
    piece.id: piece
    for piece in sorted(
        expiry_bookkeeping.PIECES
        + who_refreshes.PIECES
        + negotiation.PIECES
        + refresh_transaction.PIECES
        + teardown.PIECES
        + proxies.PIECES,
        key=lambda piece: piece.id,
    )
}
"""Every piece by its id."""

ABSENT: Final[tuple[Absence, ...]] = (
    *negotiation.ABSENT,
    *proxies.ABSENT,
    Absence(
        "M81", "After a suspend everything comes late, or all at once.", "Clocks are the driver's: flows stop them."
    ),
    Absence("M82", "The refresh never arrives, for the way lay idle.", "Links are the driver's: flows cut them."),
)
"""What cannot be shown here, and why."""
