"""The data file of SIPp's `-inf`: lines of fields, separated by semicolons, that stand for `[field0]` and so on."""

from dataclasses import dataclass
from typing import Final

from ..errors import Fault, FlowError, Source

MAX_BYTES: Final = 1 << 20
CASES_MAX: Final = 100
_ORDERS: Final = ("SEQUENTIAL", "RANDOM", "USER")


@dataclass(frozen=True, slots=True)
class DataFile:
    """The lines of a data file: the flow runs once for each."""

    rows: tuple[tuple[str, ...], ...]
    left_out: int
    """How many lines there are beyond those."""

    @property
    def fields(self) -> tuple[str, ...]:
        """The fields of the first line, as far as every line has them."""
        return self.rows[0][: min(len(row) for row in self.rows)]

    @property
    def cases(self) -> tuple[tuple[tuple[str, str], ...], ...]:
        """Names and values, a case for each line."""
        count = len(self.fields)
        return tuple(tuple((f"field{number}", row[number]) for number in range(count)) for row in self.rows)


def read_data_file(data: bytes, path: str) -> DataFile:
    """Read a data file. Raises FlowError where it is none."""
    if len(data) > MAX_BYTES:
        raise FlowError([Fault(Source(path, 1), f"is over {MAX_BYTES >> 20} MiB: that is too long")])
    lines = data.decode("utf-8", "replace").replace("\r\n", "\n").split("\n")
    if lines[0].split(",")[0].strip().upper() not in _ORDERS:
        where = Source(path, 1, 1, lines[0])
        raise FlowError([Fault(where, f"a data file begins with one of {', '.join(_ORDERS)}")])
    rows = [tuple(line.split(";")) for line in lines[1:] if line.strip() and not line.startswith("#")]
    rows = [row[:-1] if row[-1] == "" else row for row in rows]
    if not rows:
        raise FlowError([Fault(Source(path, 1, 1, lines[0]), "there is no line of fields below this one")])
    return DataFile(tuple(rows[:CASES_MAX]), max(0, len(rows) - CASES_MAX))
