"""What the tests of children share."""

import pytest

from simkit.foreign.starting import copy_template

from ..leftovers import nothing_is_left_behind as nothing_is_left_behind
from .building import built_by_go


@pytest.fixture(scope="session")
def go_logic(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The logic of the template for Go, built as it is."""
    folder = tmp_path_factory.mktemp("go")
    copy_template("go", str(folder))
    return built_by_go(folder)
