"""Every code block of the pages runs, or says why it cannot and is checked. Some run by ``--nightly`` alone."""

import pytest

from tests.test_docs.blocks import LANGUAGES, read_blocks
from tests.test_docs.conftest import PAGES

#: Pages whose commands are checked by day, and run by night: they take half a minute and more each.
AT_NIGHT = ('dense', 'hardware', 'quickstart', 'speed', 'tasks', 'teachers_and_names', 'transfer')
WITH_CODE = [path for path in PAGES if any(block.language for block in read_blocks(path))]


@pytest.mark.slow
@pytest.mark.parametrize('path', WITH_CODE, ids=lambda path: path.stem)
def test_code_blocks(path, page, pytestconfig):
    page.only_checked = path.stem in AT_NIGHT and not pytestconfig.getoption('--nightly')
    for block in read_blocks(path):
        assert block.language in LANGUAGES, f'{path}:{block.line}: no rule says how to run {block.language}'
        try:
            page.run(block)
        except BaseException as error:
            error.add_note(f'{path}:{block.line}') if hasattr(error, 'add_note') else None
            raise
