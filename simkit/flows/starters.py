"""Flow files to start from, for `simkit new`: each complete, commented, and about one thing."""

from collections.abc import Mapping
from typing import Final

_BASIC = """\
# A call without trouble: the caller asks for a session timer, and hangs up before it matters.
simkit: 1
name: basic
about: Alice calls bob, they agree on a session timer, and alice hangs up after ten seconds.

actors:
  alice: {role: uac}
  bob: {role: uas}

flow:
  - alice: call bob                  # a stimulus: somebody does something
  - alice -> bob: INVITE             # an observation: this must be seen here
    has: {Supported: {contains: timer}, Session-Expires: {at_least: 1800}}
  - bob -> alice: 200 INVITE         # a response names the method it answers
    mark: up                         # remember this instant
  - alice -> bob: ACK
  - alice: hang up
    at: up + 10s
  - alice -> bob: BYE
  - bob -> alice: 200 BYE

expect:
  ended_by: alice
  reason: hung-up
  outcome: {alice: ended, bob: ended}
"""

_REFRESH = """\
# The session is refreshed at half its interval (RFC 4028 section 10), each time anew from the last 2xx.
simkit: 1
name: refresh
about: Alice refreshes the session twice, at half the interval, and hangs up.
covers: [RFC4028-7.2-12]

cases:                               # the flow runs once for each
  - {interval: 1800, half: 900}
  - {interval: 90, half: 45}         # the shortest that RFC 4028 allows

actors:
  alice:
    role: uac
    session_timer: {default_expires: "${interval}", prefer_refresher: uac}
  bob: {role: uas}

flow:
  - alice: call bob
  - alice -> bob: INVITE
  - bob -> alice: 200 INVITE
    has: {Session-Expires: "${interval};refresher=uac"}
    mark: up
  - alice -> bob: ACK
  - alice -> bob: INVITE
    at: up + ${half}s
  - bob -> alice: 200 INVITE
    mark: refreshed
  - alice -> bob: ACK
  - alice -> bob: INVITE
    at: refreshed + ${half}s
  - bob -> alice: 200 INVITE
    mark: refreshed_again
  - alice -> bob: ACK
  - alice: hang up
    at: refreshed_again + 1s
  - alice -> bob: BYE
  - bob -> alice: 200 BYE

expect:
  ended_by: alice
  reason: hung-up
  refreshes: {alice: 2}
"""

_EXPIRY = """\
# No refresh comes: the side that does not refresh ends the call shortly before the session expires.
simkit: 1
name: expiry
about: The caller's host dies. The callee ends the call 32 s before the session expires.
covers: [RFC4028-10-6, RFC4028-10-7]

actors:
  alice:
    role: uac
    session_timer: {default_expires: 1800, prefer_refresher: uac}
  bob: {role: uas}

flow:
  - alice: call bob
  - alice -> bob: INVITE
  - bob -> alice: 200 INVITE
    has: {Session-Expires: 1800;refresher=uac}
    mark: up
  - alice -> bob: ACK
  - alice: crash                     # trouble
    at: up + 60s
  - bob -> alice: BYE
    at: up + 1768s                   # 1800 - min(32, 1800/3): RFC 4028 section 10
    lost: true                       # sent, never delivered: nobody is there
    retransmits: 10                  # timer E, until timer F gives up

expect:
  ended_by: bob
  reason: session-expired
  outcome: {alice: crashed, bob: ended}
  at: up + 1800s
"""

_TOO_SMALL = """\
# The callee wants a longer interval than it is offered: 422, and the caller tries again (RFC 4028 sections 6 and 7.3).
simkit: 1
name: "422"
about: Bob accepts no session interval below 900 s; alice asks for 600 s, learns it, and asks again.
covers: [RFC4028-6-2, RFC4028-7.3-1]

actors:
  alice:
    role: uac
    session_timer: {default_expires: 600}
  bob:
    role: uas
    session_timer: {min_se: 900}

flow:
  - alice: call bob
  - alice -> bob: INVITE
    save: {first: CSeq.number}       # remember a value of this message ...
  - bob -> alice: 422 INVITE
    has: {Min-SE: 900}
  - alice -> bob: ACK
  - alice -> bob: INVITE
    has:
      Session-Expires: {at_least: 900}
      Min-SE: 900
      CSeq: {more_than: "${first}"}  # ... and compare with it
  - bob -> alice: 200 INVITE
    mark: up
  - alice -> bob: ACK
  - alice: hang up
    at: up + 1s
  - alice -> bob: BYE
  - bob -> alice: 200 BYE

expect:
  reason: hung-up
  retries: 1
"""

_SCRIPTED = """\
# A scripted party sends just what its lines say: a way to ask a party what no decent one would ask.
simkit: 1
name: scripted
about: Mallory asks for an interval below the floor of 90 s; bob refuses and says what he accepts.
covers: [RFC4028-9-1, RFC4028-9-2]

actors:
  mallory: {role: scripted}
  bob:
    role: uas
    session_timer: {min_se: 90}

flow:
  - mallory -> bob: INVITE           # an order to send
    with: {Supported: timer, Session-Expires: 60}
  - bob -> mallory: 422 INVITE       # an observation
    has: {Min-SE: {at_least: 90}}
  - mallory -> bob: ACK
"""

_LOSS = """\
# A message is lost at the worst moment; the transaction repeats it (RFC 3261 section 17.1.2).
simkit: 1
name: loss
about: The BYE is lost once; alice sends it again after T1, and the call still ends.

actors:
  alice: {role: uac}
  bob: {role: uas}

flow:
  - alice: call bob
  - alice -> bob: INVITE
  - bob -> alice: 200 INVITE
    mark: up
  - alice -> bob: ACK
  - net: {drop: "alice -> bob: BYE", nth: 1}
  - alice: hang up
    at: up + 10s
  - alice -> bob: BYE
    at: up + 10s
    retransmits: 1
  - bob -> alice: 200 BYE
    at: up + 10.5s                   # T1 is 500 ms

expect:
  ended_by: alice
  outcome: {alice: ended, bob: ended}
"""

STARTERS: Final[Mapping[str, str]] = {
    "basic": _BASIC,
    "refresh": _REFRESH,
    "expiry": _EXPIRY,
    "422": _TOO_SMALL,
    "loss": _LOSS,
    "scripted": _SCRIPTED,
}
"""Complete flow files by what they are about; each `name` is its key."""
