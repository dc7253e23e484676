"""When the garbage collector looks for cycles, while calls are played or judged: rarely, or not at all."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

RARELY: Final = 50_000
"""New objects between two looks for cycles: what calls are made of lives as long as they do, so looking is a waste."""


@contextmanager
def collecting_rarely(new_objects: int = RARELY) -> Iterator[None]:
    """Have the garbage collector look for cycles less often for a while: when there are so many objects more."""
    usual = gc.get_threshold()
    gc.set_threshold(new_objects, 20, 100)
    try:
        yield
    finally:
        gc.set_threshold(*usual)


@contextmanager
def collecting_nothing() -> Iterator[None]:
    """Keep the garbage collector from stopping the run for tens of milliseconds; calls leave few cycles behind."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
