"""What a test of a stack leaves in a folder: its log, a capture of each call, and the report."""

import os
from collections.abc import Sequence

from ..checklist.running import Tested
from .outputs import Output

REPORT = "report.txt"


def keep(folder: str, title: str, tested: Tested, log: Sequence[str]) -> None:
    """Write the report, and a capture of each call, its time that of SIP. Raises SetupError."""
    from ..captures.writer import write_pcap
    from ..reports.checklist import report_text

    for name, run in tested.runs.items():
        assert run.wire is not None
        with Output(os.path.join(folder, f"{name}.pcap")) as output, output.writing() as stream:
            write_pcap(stream, [run.wire.recording], run.addresses)
    with Output(os.path.join(folder, REPORT)) as output:
        output.write(report_text(title, tested, log))
