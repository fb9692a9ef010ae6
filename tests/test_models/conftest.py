"""What the tests of models share."""

import pytest

from tests.tiny import write_tiny_teacher


@pytest.fixture(scope='module')
def teacher(tmp_path_factory):
    """Name of a tiny teacher with random weights."""
    return write_tiny_teacher(tmp_path_factory.mktemp('teacher'))
