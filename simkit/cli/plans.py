"""What would be sent, for `simkit replay --dry-run`."""

from collections.abc import Iterable

from ..captures.sendings import title_of
from ..trace import Transit
from ..units import format_time


def plan_text(title: str, transits: Iterable[Transit]) -> str:
    """Return a line for each message under a title, without a line end; times count from where the trace's do."""
    lines = [
        f"{format_time(each.sent_at):>12}  {each.sender} to {each.receiver}: {title_of(each.message)}"
        for each in transits
    ]
    return "\n".join([title, *lines])
