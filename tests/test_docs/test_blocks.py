"""Every code block of the pages runs, or says why it cannot and is checked."""

import pytest

from tests.test_docs.blocks import LANGUAGES, read_blocks
from tests.test_docs.conftest import PAGES

WITH_CODE = [path for path in PAGES if any(block.language for block in read_blocks(path))]


@pytest.mark.slow
@pytest.mark.parametrize('path', WITH_CODE, ids=lambda path: path.stem)
def test_code_blocks(path, page):
    for block in read_blocks(path):
        assert block.language in LANGUAGES, f'{path}:{block.line}: no rule says how to run {block.language}'
        try:
            page.run(block)
        except BaseException as error:
            error.add_note(f'{path}:{block.line}') if hasattr(error, 'add_note') else None
            raise
