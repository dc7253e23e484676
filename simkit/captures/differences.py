"""In what two messages differ that are each other's counterpart: start line, CSeq, headers, body.

A comparer goes through a call from its first message to its last, for only so it can tell a renaming that is kept from
a tag that changes. Times and the order of messages are the business of `compare`.
"""

from ..errors import PeerError
from ..sip.message import Message, Request, Response
from .address_differences import compare_uris
from .body_differences import compare_bodies
from .comparison import Difference, Kind, Sending
from .findings import Findings
from .header_differences import compare_headers, compare_values


class Comparer:
    """Compares the messages of one call with those of another, in order."""

    def __init__(self, ignore: frozenset[str]) -> None:
        self._ignore = ignore
        self._findings = Findings()
        self._initial: set[str] = set()
        """Branches of requests outside a dialog."""

    def compare(self, left: Sending, right: Sending) -> tuple[Difference, ...]:
        """Return in what the next message differs from its counterpart."""
        here, there = left.transit.message, right.transit.message
        if left.title != right.title:
            self._compare_titles(left, right)
        else:
            self._compare_start_lines(here, there)
            self._compare_cseqs(left, right)
            compare_headers(self._findings, here, there, passed_over=self._ignore)
            self._compare_lengths(here, there)
            compare_bodies(self._findings, left, right)
        return self._findings.take()

    def _compare_titles(self, left: Sending, right: Sending) -> None:
        """Tell that it is another message, but not all that follows from that; learn who is who all the same."""
        here, there = left.transit.message, right.transit.message
        if isinstance(here, Response) and isinstance(there, Response) and here.status != there.status:
            why = "another status: what comes with it is not compared"
            self._findings.add(Kind.SEMANTIC, "status", str(here.status), str(there.status), why)
        else:
            why = "another method: what comes with it is not compared"
            self._findings.add(Kind.SEMANTIC, "method", left.title, right.title, why)
        for name in ("Via", "From", "Call-ID"):
            if name not in self._ignore and here.values(name) and there.values(name):
                compare_values(self._findings, name, here.values(name), there.values(name))

    def _compare_start_lines(self, left: Message, right: Message) -> None:
        if isinstance(left, Request) and isinstance(right, Request):
            self._compare_targets(left, right)
        elif isinstance(left, Response) and isinstance(right, Response) and left.reason != right.reason:
            why = "a reason phrase is for people (RFC 3261 section 7.2)"
            self._findings.add(Kind.COSMETIC, "reason phrase", left.reason, right.reason, why)

    def _compare_targets(self, left: Request, right: Request) -> None:
        """Compare Request-URIs: what was dialled, also where ACK or CANCEL repeats it; in a dialog the Contact."""
        try:
            is_initial = left.to_tag is None or left.branch in self._initial
            if is_initial:
                self._initial.add(left.branch)
            compare_uris(self._findings, "Request-URI", "target" if is_initial else "contact", left.uri, right.uri)
        except PeerError as error:
            if left.uri != right.uri:
                why = f"one of them cannot be read ({error})"
                self._findings.add(Kind.SEMANTIC, "Request-URI", left.uri, right.uri, why)

    def _compare_cseqs(self, left: Sending, right: Sending) -> None:
        here, there = (each.transit.message.header("CSeq") for each in (left, right))
        if here is None or there is None or "CSeq" in self._ignore:
            return
        if here.split()[1:] != there.split()[1:]:
            why = "its method is the request's (RFC 3261 section 20.16)"
            self._findings.add(Kind.SEMANTIC, "CSeq method", here, there, why)
        if left.cseq_step is None and right.cseq_step is None:
            if left.exchange[2] != right.exchange[2]:
                why = "any first number will do (RFC 3261 section 8.1.1.5); what follows counts from it"
                self._findings.add(Kind.DYNAMIC, "CSeq", here, there, why)
        elif None not in (left.cseq_step, right.cseq_step) and left.cseq_step != right.cseq_step:
            why = "each request counts one up, and all that belongs to it has its number (RFC 3261 section 12.2.1.1)"
            self._findings.add(
                Kind.SEMANTIC, "CSeq", f"{here} ({left.cseq_step:+})", f"{there} ({right.cseq_step:+})", why
            )

    def _compare_lengths(self, left: Message, right: Message) -> None:
        here, there = (each.header("Content-Length") for each in (left, right))
        if here is None or there is None or here == there or "Content-Length" in self._ignore:
            return
        if _is_true(here, left) == _is_true(there, right):
            kind, why = Kind.DYNAMIC, "it counts the body's bytes, names included"
        else:
            kind, why = Kind.SEMANTIC, "it does not count the body's bytes (RFC 3261 section 20.14)"
        self._findings.add(kind, "Content-Length", here, there, why)


def _is_true(length: str, message: Message) -> bool:
    return length.strip() == str(len(message.body))
