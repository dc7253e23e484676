"""All rules of the audit, by what they look at."""

from typing import Final

from ..dialog import Dialog, Session, Transaction
from ..rule import AuditRule
from ..sending import Sending
from . import (
    answers,
    failures,
    hanging_up,
    headers,
    media,
    proxies,
    refreshing,
    requests,
    routing,
    sequences,
    too_small,
)

OF_MESSAGES: Final[tuple[AuditRule[Sending], ...]] = headers.OF_MESSAGES
"""About any message that has Session-Expires or Min-SE."""

OF_ALL: Final[tuple[AuditRule[Transaction], ...]] = requests.OF_ALL + hanging_up.OF_ALL
"""About every request but ACK."""

OF_REQUESTS: Final[tuple[AuditRule[Transaction], ...]] = sequences.OF_REQUESTS + routing.OF_REQUESTS
"""About every request but ACK and CANCEL."""

OF_REFRESHES: Final[tuple[AuditRule[Transaction], ...]] = (
    requests.OF_REFRESHES
    + too_small.OF_REFRESHES
    + failures.OF_REFRESHES
    + sequences.OF_REFRESHES
    + media.OF_REFRESHES
    + routing.OF_REFRESHES
)
"""About every INVITE and UPDATE."""

OF_ANSWERS: Final[tuple[AuditRule[Transaction], ...]] = answers.OF_ANSWERS
"""About every INVITE and UPDATE with a 2xx."""

OF_PASSED_ON: Final[tuple[AuditRule[Transaction], ...]] = proxies.OF_PASSED_ON
"""About every INVITE and UPDATE that a proxy passed on in sight of the tap."""

OF_BYES: Final[tuple[AuditRule[Transaction], ...]] = failures.OF_BYES + hanging_up.OF_BYES
"""About every BYE."""

OF_SESSIONS: Final[tuple[AuditRule[Session], ...]] = (
    refreshing.OF_SESSIONS + failures.OF_SESSIONS + hanging_up.OF_SESSIONS
)
"""About what each 2xx settled, where that is a timer."""

OF_DIALOGS: Final[tuple[AuditRule[Dialog], ...]] = (
    too_small.OF_DIALOGS + refreshing.OF_DIALOGS + failures.OF_DIALOGS + sequences.OF_DIALOGS + media.OF_DIALOGS
)
"""About a dialog as a whole."""

RULES: Final = (
    OF_MESSAGES + OF_ALL + OF_REQUESTS + OF_REFRESHES + OF_ANSWERS + OF_PASSED_ON + OF_BYES + OF_SESSIONS + OF_DIALOGS
)
"""All of them."""
