"""What holds for all tests: in which order they run, and what none of them has to pay for."""

import gc
import os
import sys

import pytest

collect_ignore_glob = ["*.yaml", "*.yml"]  # flow files among the tests are material

# Hundreds of tests start a simkit of their own: compiling it anew takes longer than most of what it is to do.
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes seconds, or in the end all would wait for it."""
    items.sort(key=lambda item: item.get_closest_marker("slow") is None)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> object:
    """Let workers that have nothing left to do take over from others, unless another way was asked for."""
    from xdist.scheduler import WorkStealingScheduling

    return WorkStealingScheduling(config, log) if config.getvalue("dist") == "load" else None


def pytest_collection_finish() -> None:
    """Spare the garbage collector what lives until the end: all tests, and what they are made of."""
    gc.collect()
    gc.freeze()
