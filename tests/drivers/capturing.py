"""Whether this machine lets us capture: where it should, it must."""

import os

import pytest

from simkit.drivers.sniffer import Sniffer
from simkit.errors import SetupError


def require_capturing() -> None:
    """Skip the test where the user may not capture; fail it where root on a continuous integration may not."""
    try:
        Sniffer([]).close()
    except SetupError as error:
        if os.environ.get("CI") == "true" and os.geteuid() == 0:
            raise
        pytest.skip(str(error))
