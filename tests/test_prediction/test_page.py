"""Pages of drawings."""

import os
import re
from html.parser import HTMLParser

from lgd_mm.prediction.page import EACH, Shown, write_pages


def test_many_images_are_spread_over_pages(tmp_path):
    shown = [Shown(f'{index}.jpg', f'drawn/{index}.jpg', ['cat'], None, 4, 3) for index in range(2 * EACH + 1)]
    write_pages(tmp_path, 'Found', len(shown), shown)
    pages = {path.name: path.read_text() for path in tmp_path.iterdir()}
    assert sorted(pages) == ['index-2.html', 'index-3.html', 'index.html']
    assert [len(re.findall('<img', pages[name])) for name in ('index.html', 'index-2.html', 'index-3.html')] == [
        EACH, EACH, 1]
    links = {name: re.findall(r'href="(index[^"]*)"', page) for name, page in pages.items()}
    assert links == {'index.html': ['index-2.html'], 'index-2.html': ['index.html', 'index-3.html'],
                     'index-3.html': ['index-2.html']}


def test_names_are_text(tmp_path):
    """Of files and of classes; bytes that are no text lead to their file."""
    odd = os.fsdecode(b'"><script>\xff#?%.jpg')
    write_pages(tmp_path, 'Found', 1, [Shown(odd, f'drawn/{odd}', ['</a><script>x', '\x1b[1m'], None, 4, 3)])
    page = (tmp_path / 'index.html').read_text()
    tags = []
    parser = HTMLParser()
    parser.handle_starttag = lambda tag, attributes: tags.append((tag, dict(attributes)))
    parser.feed(page)
    assert 'script' not in [tag for tag, _ in tags] and '\x1b' not in page
    image = next(attributes for tag, attributes in tags if tag == 'img')
    assert image['src'] == 'drawn/%22%3E%3Cscript%3E%FF%23%3F%25.jpg'
    assert image['alt'] == '</a><script>x, \\x1b[1m'
