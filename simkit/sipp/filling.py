"""Keywords filled in: `[local_ip]`, `[last_Via:]`, `[$se]`, ... by what they stand for, or a quote of it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from ..errors import Source
from ..sip.transport import Transport
from .ladder import Ladder, Line, Remark
from .quotes import Kind, Quote, Quotes
from .templates import Keyword, take_apart
from .variables import Value


@dataclass(frozen=True, slots=True)
class Names:
    """Who a side is, whom it talks to, and what SIPp would have been told on its command line."""

    own: str
    peer: str
    process: str = "1"
    """Stands for [pid]."""
    service: str = "service"
    transport: Transport = Transport.UDP
    fields: tuple[str, ...] = ()
    """What the first line of the data file has for each field."""


class Filling:
    """Fills in the keywords of one side."""

    def __init__(self, names: Names, ladder: Ladder, quotes: Quotes) -> None:
        self._names = names
        self._ladder = ladder
        self._quotes = quotes
        self._index = 0
        self._last_line: Line | None = None
        self._values: Mapping[str, Value] = {}

    def filled(
        self,
        text: str,
        index: int,
        place: Callable[[int], Source],
        *,
        last: Line | None,
        values: Mapping[str, Value],
    ) -> str:
        """Return a text with its keywords filled in.

        `index` is that of its step, `place` says where a line of it stands, `last` is the message that came last.
        """
        self._index, self._last_line, self._values = index, last, values
        return "".join(
            piece if isinstance(piece, str) else self._keyword(piece, place(piece.line)) for piece in take_apart(text)
        )

    def _keyword(self, keyword: Keyword, source: Source) -> str:
        name = keyword.name
        if name == "authentication":
            user = keyword.argument("username") or self._names.service  # as SIPp does without -au and -ap
            password = keyword.argument("password") or "password"
            return self._quotes.character(Quote(Kind.AUTHENTICATION, header=user, detail=password))
        if name in _QUOTED and not keyword.offset:
            return self._quotes.character(Quote(_QUOTED[name]))
        if name in _CONSTANT:
            return _CONSTANT[name]
        if name in _PORTS:
            return str(_PORTS[name] + keyword.offset)
        if name.startswith("$"):
            return self._variable(name[1:], source)
        if name.startswith("field"):
            return self._field(name, source)
        if name.startswith("last_"):
            return self._last(name.removeprefix("last_"), keyword)
        match name:
            case "branch":
                return self._quotes.character(Quote(Kind.BRANCH, detail=str(self._index + keyword.offset)))
            case "cseq":
                return self._quotes.character(Quote(Kind.CSEQ))
            case "msg_index":
                return str(self._index)
            case "pid":
                return self._names.process
            case "service":
                return self._names.service
            case "transport":
                return self._names.transport.name
        return self._unknown(source, f"[{keyword.written[:40]}] is known only to SIPp")

    def _variable(self, name: str, source: Source) -> str:
        text = self._values.get(name.strip(), Value.UNSET).text
        if text is None:
            return self._unknown(source, f"what ${name} holds here is known only in a run")
        return text

    def _field(self, name: str, source: Source) -> str:
        number = name.removeprefix("field")
        if not number.isdecimal() or int(number[:6]) >= len(self._names.fields):
            return self._unknown(source, f"[{name[:20]}] stands in a data file: give it by --inf")
        value = self._names.fields[int(number)]
        if value.startswith("[authentication"):  # as SIPp's manual has it: each line with an account of its own
            (keyword,) = take_apart(value)
            return self._keyword(keyword, source) if isinstance(keyword, Keyword) else value
        return self._quotes.character(Quote(Kind.FIELD, detail=str(int(number))))

    def _last(self, what: str, keyword: Keyword) -> str:
        """Return what a header of the last message received holds, or all of it."""
        if what == "cseq_number" and keyword.offset:
            return self._quotes.character(Quote(Kind.CSEQ))  # nobody counts otherwise
        if self._last_line is None:
            return ""  # SIPp leaves it out, too
        number = self._last_line.number
        if what == "cseq_number":
            return self._quotes.character(Quote(Kind.HEADER, number, "CSeq", "([0-9]+)"))
        if what == "Request_URI":
            return self._quotes.character(Quote(Kind.HEADER, number, "Request-URI"))
        if what == "message":
            return self._quotes.character(Quote(Kind.UNKNOWN))
        return self._quotes.character(Quote(Kind.LINES, number, what.partition(":")[0]))

    def _unknown(self, source: Source, message: str) -> str:
        self._ladder.note(Remark.NOT_CARRIED_OVER, source, message)
        return self._quotes.character(Quote(Kind.UNKNOWN))


_QUOTED: Final = {
    "local_ip": Kind.LOCAL_HOST,
    "server_ip": Kind.LOCAL_HOST,
    "media_ip": Kind.LOCAL_HOST,
    "local_port": Kind.LOCAL_PORT,
    "remote_ip": Kind.REMOTE_HOST,
    "remote_host": Kind.REMOTE_HOST,
    "remote_port": Kind.REMOTE_PORT,
    "call_id": Kind.CALL_ID,
    "len": Kind.LENGTH,
    "peer_tag_param": Kind.PEER_TAG,
    "routes": Kind.ROUTES,
    "next_url": Kind.NEXT_URI,
}
_CONSTANT: Final = {
    "local_ip_type": "4",
    "media_ip_type": "4",
    "call_number": "1",
    "dynamic_id": "10",
    "userid": "0",
    "users": "0",
    "clock_tick": "0",
    "timestamp": "1970-01-01T00:00:00Z",
    "date": "Thu, 01 Jan 1970 00:00:00 GMT",
    "sipp_version": "3.6",
}
"""What is the same in every run of ours, for its first call at the beginning of time."""
_PORTS: Final = {
    "media_port": 6000,
    "auto_media_port": 6000,
    "rtpstream_audio_port": 6000,
    "rtpstream_video_port": 6002,
}
"""Where SIPp begins to look for media ports."""
