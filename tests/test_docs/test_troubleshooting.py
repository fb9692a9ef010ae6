"""The page quotes messages as the code says them."""

import ast
import re
from pathlib import Path

import pytest

from tests.tiny import ROOT

PAGE = (ROOT / 'docs/troubleshooting.md').read_text(encoding='utf-8')
QUOTES = re.findall(r'^- `(.+)`\\$', PAGE, re.MULTILINE)
GAP = '…'


def told(node: ast.AST) -> str:
    """A text of the code, with a gap for what only a run knows."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return ''.join(told(value) for value in node.values)
    if isinstance(node, ast.BinOp):
        return told(node.left) + told(node.right)
    return GAP


def texts(path: Path) -> list[str]:
    """Every text in a file of Python; a shell script is one."""
    code = path.read_text(encoding='utf-8')
    return [told(node) for node in ast.walk(ast.parse(code))] if path.suffix == '.py' else [
        re.sub(r'\$\w+', GAP, code)]


def canonical(text: str) -> str:
    """Neighbouring gaps are one, whatever is between them but spaces."""
    return re.sub(rf'(\s*{GAP})+\s*', GAP, text)


SAID = [canonical(text) for folder in ('lgd_mm', 'tools') for suffix in ('py', 'sh')
        for path in (ROOT / folder).rglob(f'*.{suffix}') for text in texts(path) if len(text) > 10]


@pytest.mark.parametrize('quote', QUOTES)
def test_message_is_in_the_code(quote):
    """Word by word, apart from the gaps."""
    assert any(canonical(quote).strip(GAP) in text for text in SAID), f'no code says: {quote}'


def test_page_quotes_many_messages():
    """The form of the quotes is what the pattern above looks for."""
    assert len(QUOTES) > 40 and len(QUOTES) == len(set(QUOTES))
