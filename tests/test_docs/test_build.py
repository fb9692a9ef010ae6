"""The pages build without a warning, and every link in them leads somewhere."""

import re

import pytest

from tests.test_docs.conftest import PAGES
from tests.tiny import ROOT

LINK = re.compile(r'\]\((?!https?:|mailto:)([^)#]*)(#[^)]*)?\)')


def anchors(text: str) -> set[str]:
    """As GitHub and Sphinx make them of headings."""
    titles = re.findall(r'^#+ (.+)$', text, re.MULTILINE)
    return {re.sub(r'[^\w\- ]', '', title.lower()).replace(' ', '-') for title in titles}


@pytest.mark.parametrize('path', PAGES, ids=lambda path: path.stem)
def test_links(path):
    """Files exist, and so do the headings."""
    text = path.read_text(encoding='utf-8')
    for name, anchor in LINK.findall(text):
        target = path.parent / name if name else path
        assert target.exists(), f'{path.name} links to {name}, which is not there'
        if anchor:
            assert anchor[1:] in anchors(target.read_text(encoding='utf-8')), f'{path.name}: no heading {name}{anchor}'


@pytest.mark.slow
def test_pages_build(tmp_path):
    """With every warning an error, as ``make docs`` does."""
    from sphinx.application import Sphinx
    docs = ROOT / 'docs'
    app = Sphinx(docs, docs, tmp_path / 'html', tmp_path / 'doctrees', 'html', status=None, warningiserror=True)
    app.build()
    assert app.statuscode == 0
    page = (tmp_path / 'html/api.html').read_text(encoding='utf-8')
    assert 'id="lgd_mm.pretrain"' in page and 'id="lgd_mm.models.LGD"' in page


def test_every_page_is_in_the_contents():
    """Nobody finds a page that no other links to."""
    contents = re.findall(r'^([\w/]+)$', (ROOT / 'docs/index.md').read_text(encoding='utf-8'), re.MULTILINE)
    pages = {path.stem for path in (ROOT / 'docs').glob('*.md')} - {'index'}
    assert pages <= set(contents)
