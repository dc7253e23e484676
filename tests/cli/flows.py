"""Small flows, one for each way a run may come out."""

_CALL = """\
flow:
  - alice: call bob
  - alice -> bob: INVITE
  - bob -> alice: 200 INVITE
    mark: up
  - alice -> bob: ACK
  - alice: hang up
    at: up + {hang_up}
  - alice -> bob: BYE
    at: up + {bye}
  - bob -> alice: 200 BYE
expect: {{ended_by: alice}}
"""

_ACTORS = """\
actors:
  alice: {role: uac}
  bob: {role: uas}
"""

PASSING = f"""\
simkit: 1
name: short
about: A short call.
tags: [quick, plain]
{_ACTORS}{_CALL.format(hang_up="10s", bye="10s")}"""

FAILING = f"""\
simkit: 1
name: late
about: The caller hangs up sooner than the flow says.
tags: [broken]
{_ACTORS}{_CALL.format(hang_up="10s", bye="11s")}"""

CASES = f"""\
simkit: 1
name: cases
about: One call, at two lengths.
cases:
  - {{length: 10s}}
  - {{length: 20s}}
{_ACTORS}{_CALL.format(hang_up="${length}", bye="${length}")}"""

VALUES = f"""\
simkit: 1
name: values
vars: {{length: 5s}}
{_ACTORS}{_CALL.format(hang_up="${length}", bye="${length}")}"""

WARNED = f"""\
simkit: 1
name: tiny
about: An interval below the floor.
actors:
  alice: {{role: uac, session_timer: {{default_expires: 30}}}}
  bob: {{role: uas, session_timer: {{min_se: 30}}}}
{_CALL.format(hang_up="1s", bye="1s")}"""

FLOWS = {"cases": CASES, "late": FAILING, "short": PASSING}

BAD = """\
simkit: 1
actors:
  alice: {role: uac}
  bob: {role: uas}
flow:
  - alice: cal bob
  - alice -> bob: INVTE
"""
