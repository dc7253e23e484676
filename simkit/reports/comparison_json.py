"""Two captures side by side as one JSON object. Keys are only ever added; times are integers of microseconds."""

from .. import __version__
from ..captures.comparison import CallComparison, Comparison, Kind, Row, Sending
from ..errors import Source
from .flow_lines import Origin


def comparison_object(
    comparison: Comparison, *, names: tuple[str, str], origin: Origin | None = None
) -> dict[str, object]:
    """Return the object of a comparison; of messages only those that differ. Times count from the start of the call."""
    return {
        "simkit": __version__,
        "left": names[0],
        "right": names[1],
        "verdict": "pass" if comparison.equal else "fail",
        "tolerance_us": comparison.tolerance_us,
        "counted": [kind.value for kind in Kind if kind in comparison.counted],
        "differences": {kind.value: count for kind, count in comparison.counts().items()},
        "calls": [_call_object(comparison, call, origin) for call in comparison.calls],
        "left_only": [comparison.call_ids[0][number] for number in comparison.left_only],
        "right_only": [comparison.call_ids[1][number] for number in comparison.right_only],
    }


def _call_object(comparison: Comparison, call: CallComparison, origin: Origin | None) -> dict[str, object]:
    sources = origin.lines(call) if origin else {}
    rows = []
    for row in call.rows:
        if row.differences:
            sending = origin.of(row) if origin else None
            source = sources.get(sending.transit.number) if sending else None
            rows.append(_row_object(row, source))
    return {
        "left_call_id": comparison.call_ids[0][call.left],
        "right_call_id": comparison.call_ids[1][call.right],
        "verdict": "fail" if comparison.differs(call) else "pass",
        "parties": [{"left": left, "right": right} for left, right in call.parties],
        "messages": len(call.rows),
        "differing": rows,
    }


def _row_object(row: Row, source: Source | None) -> dict[str, object]:
    return {
        "left": _sending_object(row.left),
        "right": _sending_object(row.right),
        "line": source.line if source else None,
        "differences": [
            {"class": each.kind.value, "field": each.field, "left": each.left, "right": each.right, "why": each.why}
            for each in row.differences
        ],
    }


def _sending_object(sending: Sending | None) -> dict[str, object] | None:
    if sending is None:
        return None
    transit = sending.transit
    return {
        "frame": transit.number,
        "at_us": sending.at,
        "sender": transit.sender,
        "receiver": transit.receiver,
        "text": sending.title,
        "retransmissions": sending.repeats,
    }
