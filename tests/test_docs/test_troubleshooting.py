"""The page quotes messages as the code says them."""

import re

from tests.tiny import ROOT

#: Each in a line of its own, with gaps for what only a run knows.
QUOTES = re.findall(r'^- `(.+)`\\$', (ROOT / 'docs/troubleshooting.md').read_text(encoding='utf-8'), re.MULTILINE)
GAP = '…'
SUFFIXES = ('.py', '.sh')
#: Between two neighbouring literals, which are one text.
SEAM = re.compile(r"""['"]\s*\n\s*[fr]?['"]""")
#: What may stand in the code for a gap.
VALUE = r'.{1,300}?'


def codes() -> list[str]:
    """What every file of the package and its tools says, its texts in one piece each."""
    paths = [path for folder in ('lgd_mm', 'tools') for path in (ROOT / folder).rglob('*.*') if path.suffix in SUFFIXES]
    return [SEAM.sub('', path.read_text(encoding='utf-8')).replace("\\'", "'").replace('{{', '{').replace('}}', '}')
            for path in paths]


def pattern(quote: str) -> re.Pattern[str]:
    """Word by word, apart from the gaps."""
    return re.compile(VALUE.join(map(re.escape, re.split(rf'\s*{GAP}\s*', quote.strip(f' {GAP}')))), re.DOTALL)


def test_messages_are_in_the_code():
    said = codes()
    assert [quote for quote in QUOTES if not any(map(pattern(quote).search, said))] == []


def test_what_no_code_says_is_found():
    assert not any(map(pattern('cannot be read: 7 … are gone').search, codes()))


def test_page_quotes_many_messages():
    """The form of the quotes is what the pattern above looks for."""
    assert len(QUOTES) > 40 and len(QUOTES) == len(set(QUOTES))
