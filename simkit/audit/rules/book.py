"""All rules of the audit, by what they look at; each file beside this one has those of one concern."""

from typing import Any, Final

from ..dialog import Dialog, Session, Transaction
from ..rule import AuditRule, TermsRule
from ..sending import Sending
from . import (
    answers,
    authentication,
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
from .media import Description
from .sequences import Overlap

TransactionRules = tuple[AuditRule[Transaction], ...]

OF_REPETITIONS: Final[tuple[AuditRule[Sending], ...]] = headers.OF_REPETITIONS
"""About a message in which a header comes more than once, as it left its sender or a proxy."""
OF_INTERVALS: Final[tuple[AuditRule[Sending], ...]] = headers.OF_INTERVALS
"""About a message that has Session-Expires."""
OF_MINIMA: Final[tuple[AuditRule[Sending], ...]] = headers.OF_MINIMA
"""About a message that has Min-SE."""
OF_TERMS: Final[tuple[TermsRule, ...]] = answers.OF_TERMS
"""About a 2xx to INVITE or UPDATE, by what it and its request say."""
OF_PASSED_REQUESTS: Final[tuple[TermsRule, ...]] = proxies.OF_REQUESTS
"""About an INVITE or UPDATE that a proxy passed on in sight of the tap, by what it said before and after."""
OF_PASSED_ANSWERS: Final[tuple[TermsRule, ...]] = proxies.OF_ANSWERS
"""About their 2xx, likewise."""

OF_REQUESTS: Final[TransactionRules] = requests.OF_ALL + hanging_up.OF_REQUESTS
"""About a request that is no ACK."""
OF_REQUESTS_WITHIN: Final[TransactionRules] = sequences.OF_REQUESTS + routing.OF_REQUESTS
"""... and no CANCEL, within the dialog."""

OF_CHALLENGED: Final[TransactionRules] = authentication.OF_CHALLENGED
"""... that follows on one that got a 401 or 407."""

OF_REFRESHES: Final[TransactionRules] = requests.OF_REFRESHES
"""About an INVITE or UPDATE."""
OF_FIRST: Final[TransactionRules] = requests.OF_FIRST
"""... that is the first request of the call."""
OF_NEW_TRIES: Final[TransactionRules] = too_small.OF_NEW_TRIES
"""... that follows on one that got a 422."""
OF_BOUND: Final[TransactionRules] = too_small.OF_BOUND
"""... that a Min-SE seen before binds."""
OF_WITHIN: Final[TransactionRules] = requests.OF_WITHIN + sequences.OF_WITHIN + routing.OF_WITHIN
"""... within the dialog."""
OF_TIMED: Final[TransactionRules] = requests.OF_TIMED
"""... while a session timer runs."""
OF_INVITES: Final[TransactionRules] = sequences.OF_INVITES + routing.OF_INVITES
"""About an INVITE."""
OF_OFFERS_IN_UPDATES: Final[TransactionRules] = media.OF_OFFERS_IN_UPDATES
"""About an UPDATE with an offer."""
OF_ANSWERS: Final[TransactionRules] = answers.OF_ANSWERS + media.OF_ANSWERS
"""About an INVITE or UPDATE with a 2xx."""
OF_FAILURES: Final[TransactionRules] = failures.OF_FAILURES
"""About an INVITE or UPDATE within the dialog that was refused or not answered."""
OF_REFUSALS: Final[TransactionRules] = too_small.OF_REFUSALS
"""About an INVITE or UPDATE with a 422."""
OF_REFUSED: Final[TransactionRules] = sequences.OF_REFUSED
"""... with any other failure."""
OF_GLARES: Final[TransactionRules] = failures.OF_GLARES
"""... with a 491."""
OF_PASSED_ON: Final[TransactionRules] = proxies.OF_TRANSACTIONS
"""About an INVITE or UPDATE that a proxy passed on in sight of the tap."""
OF_BYES: Final[TransactionRules] = failures.OF_BYES + hanging_up.OF_BYES
"""About the first BYE of a side."""
OF_BYES_TIMED: Final[TransactionRules] = hanging_up.OF_BYES_TIMED
"""... while a session timer runs."""
OF_BYES_UNTIMED: Final[TransactionRules] = hanging_up.OF_BYES_UNTIMED
"""... while none runs."""

OF_SESSIONS: Final[tuple[AuditRule[Session], ...]] = (
    refreshing.OF_SESSIONS + failures.OF_SESSIONS + hanging_up.OF_SESSIONS
)
"""About what a 2xx settled, where that is a timer."""
OF_SESSIONS_AS_UAC: Final[tuple[AuditRule[Session], ...]] = refreshing.OF_SESSIONS_AS_UAC
"""... that the UAC of this 2xx refreshes."""
OF_SESSIONS_AS_UAS: Final[tuple[AuditRule[Session], ...]] = refreshing.OF_SESSIONS_AS_UAS
"""... that its UAS refreshes."""
OF_OVERLAPS: Final[tuple[AuditRule[Overlap], ...]] = sequences.OF_OVERLAPS
"""About two requests of which one was sent while the other was open."""
OF_DESCRIPTIONS: Final[tuple[AuditRule[Description], ...]] = media.OF_DESCRIPTIONS
"""About an offer or answer that is not the last one of its side."""
OF_DIALOGS: Final[tuple[AuditRule[Dialog], ...]] = refreshing.OF_DIALOGS + sequences.OF_DIALOGS
"""About a dialog as a whole."""
OF_TROUBLED: Final[tuple[AuditRule[Dialog], ...]] = too_small.OF_DIALOGS + failures.OF_DIALOGS
"""... in which an INVITE or UPDATE was refused."""

RULES: Final[tuple[AuditRule[Any] | TermsRule, ...]] = (
    *OF_REPETITIONS,
    *OF_INTERVALS,
    *OF_MINIMA,
    *OF_TERMS,
    *OF_PASSED_REQUESTS,
    *OF_PASSED_ANSWERS,
    *OF_REQUESTS,
    *OF_REQUESTS_WITHIN,
    *OF_CHALLENGED,
    *OF_REFRESHES,
    *OF_FIRST,
    *OF_NEW_TRIES,
    *OF_BOUND,
    *OF_WITHIN,
    *OF_TIMED,
    *OF_INVITES,
    *OF_OFFERS_IN_UPDATES,
    *OF_ANSWERS,
    *OF_FAILURES,
    *OF_REFUSALS,
    *OF_REFUSED,
    *OF_GLARES,
    *OF_PASSED_ON,
    *OF_BYES,
    *OF_BYES_TIMED,
    *OF_BYES_UNTIMED,
    *OF_SESSIONS,
    *OF_SESSIONS_AS_UAC,
    *OF_SESSIONS_AS_UAS,
    *OF_OVERLAPS,
    *OF_DESCRIPTIONS,
    *OF_DIALOGS,
    *OF_TROUBLED,
)
"""All of them."""
