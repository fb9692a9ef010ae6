"""What every page must be: well-formed, safe and self-contained."""

import re
from html.parser import HTMLParser


class Tags(HTMLParser):
    """Checks that every element is closed in its order."""

    VOID = {'meta', 'img', 'br'}

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list) -> None:
        self.seen.add(tag)
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list) -> None:
        self.seen.add(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open and self.open.pop() == tag, f'</{tag}> on line {self.getpos()[0]} closes something else'


def check_page(page: str) -> None:
    """Every element is closed, nothing is loaded from elsewhere or run, and the ids are unique."""
    tags = Tags()
    tags.feed(page)
    tags.close()
    assert tags.open == []
    assert not {'script', 'link', 'iframe', 'a', 'image'} & tags.seen
    references = re.findall(r'(?:\bsrc|href|url)\s*[=(]\s*["\']?([^"\')\s>]+)', page)
    assert references, 'the charts refer to their own parts'
    assert {reference for reference in references if not reference.startswith(('#', 'data:'))} == set()
    assert '@import' not in page
    ids = re.findall(r'\bid="([^"]+)"', page)
    assert len(ids) == len(set(ids))
    assert {reference[1:] for reference in references if reference.startswith('#')} <= set(ids)
