"""A folder of held-out images in two classes."""

import pytest

from tests.own_sets import write_image


@pytest.fixture(scope='session')
def held_out(tmp_path_factory):
    """Six images of each of two classes."""
    folder = tmp_path_factory.mktemp('held_out')
    for label, name in enumerate(('circle', 'square')):
        for index in range(6):
            write_image(folder / name / f'{index}.jpg', 2 * index + label)
    return folder
