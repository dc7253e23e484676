"""Flow files that use every part of the language, for the tests of this folder."""

from typing import Final

EVERYTHING: Final = """\
simkit: 1
name: everything
about: Each key of the language at least once.
tags: [sample, rfc4028]
covers: [RFC4028-10-6, 3261-14.1a]
vars: {half: 900, label: "a value", strict: true}
cases:
  - {se: 1800}
  - {se: 90, half: 45}
  - {name: long, se: 3600, half: 1800}
timers: {t1: 500ms, t2: 4s, t4: 5s}
transport: udp
calls: {count: 10, every: 100ms}
limit: 2d
allow: [UPDATE, 200 UPDATE]
never: [408, 481, CANCEL, 5xx INVITE]
network:
  latency: 20ms
  loss: 0.5%
  reorder: 0.25
  "alice -> bob": {latency: 30ms, jitter: 1ms, duplicate: 0.001}
actors:
  alice:
    role: uac
    session_timer: {enabled: true, default_expires: "${se}", min_se: 90s, prefer_refresher: uac, use_update: false}
    clock: {skew: -2s, drift: 100ppm}
    logic: rfc4028
    user: alice
    password: 'open ${label}'
    challenge: {realm: a.example.org, user: bob, password: "1 # 2", status: 407, algorithm: [SHA-256, MD5], qop: none,
      methods: [BYE, UPDATE], nonce_lasts: 1m30s}
  bob: {role: uas, answers: after 2s, supports: [timer, "100rel"], allow: [INVITE, ACK, BYE, UPDATE]}
  car-ol: {role: scripted, retransmits: true, at: 127.0.0.1:5070}
flow:
  - alice: call bob
    at: 1s
  - bob: ring
  - alice -> bob: INVITE
    has:
      Supported: {contains: timer}
      Session-Expires: "${se};refresher=uac"
      Require: {absent: true}
      Max-Forwards: {at_least: 1}
      CSeq: {matches: "^[0-9]+ INVITE$"}
      Allow: {one_of: ["INVITE, ACK", "${label}"]}
    body: {contains: "m=audio"}
    save: {first: CSeq.number, identity: Call-ID, interval: {Session-Expires: "([0-9]+)"}}
    within: 5ms
    at: 1s..2s
  - bob -> alice: 180 INVITE
    optional: true
    mark: rings
  - bob -> alice: 200 INVITE
    mark: up
  - alice -> bob: ACK
  - net: {drop: "alice -> bob: INVITE", nth: 2}
  - net: {delay: "bob -> alice: 2xx INVITE", by: 3s}
    at: up + 5s
  - net: {duplicate: "bob -> alice: BYE"}
  - net: {partition: [alice, bob]}
  - net: {heal: [alice, bob]}
  - bob: ignore INVITE 2 times
  - bob: ignore OPTIONS until up + 10s
  - bob: reply 503 to INVITE 1 times
    with: {Retry-After: 5}
  - bob: reply 491 to UPDATE until up + 1m - 5s
  - bob: freeze
  - bob: thaw
  - bob: restart
  - repeat: 3
    every: ${half}s
    since: up
    flow:
      - alice -> bob: INVITE
        at: up + ${half}s..100h
        has: {CSeq: {more_than: "${first}"}}
        retransmits: 0
        mark: refreshing
      - bob -> alice: 200 INVITE
        at: refreshing.received + 20ms
        lost: false
  - car-ol -> bob: OPTIONS
    with: {Subject: "${identity}", Via: [a, b], Request-URI: "sip:bob@${bob.address}"}
    body: |
      ${interval}
    credentials: true
    without: [Contact]
  - car-ol -> bob: BYE
    raw: |
      BYE sip:bob@127.0.0.1 SIP/2.0
      Call-ID: ${identity}
  - alice: hang up
expect:
  ended_by: alice
  reason: hung-up
  outcome: {alice: ended, bob: up, car-ol: failed}
  at: up + 1h..up + 200h
  refreshes: {alice: 3}
  retries: 1
  never: [481]
  log: [one, two]
  violations: [RFC4028-9-13]
"""

SMALL: Final = """\
simkit: 1
actors: {alice: {role: uac}, bob: {role: uas}}
flow:
  - alice: call bob
"""
