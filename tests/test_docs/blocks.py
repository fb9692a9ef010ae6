"""The fenced code blocks of a page, and the commands in them."""

import re
import shlex
from dataclasses import dataclass
from pathlib import Path

FENCE = re.compile(r'(?:<!-- not run: (?P<reason>.+?) -->\n+)?^```(?P<language>[\w+-]*)\n(?P<text>.*?)^```$',
                   re.MULTILINE | re.DOTALL)
#: Blocks without a language show a tree of files or an output.
LANGUAGES = ('bash', 'python', '')
#: What makes a line one for the shell.
SHELL = re.compile(r'&&|\||<<|[^\w]>|\$\(|^(cd|mkdir|printf|export|source|cp|ln|for|find|pip|uv) ')


@dataclass(frozen=True)
class Block:
    """A fenced block.

    Attributes:
        page (Path): The page.
        line (int): Of its first line of code, from 1.
        language (str): Behind the fence.
        text (str): Without the fences.
        reason (str, optional): Why it is only checked: ``<!-- not run: REASON -->`` in the line before the fence.
    """

    page: Path
    line: int
    language: str
    text: str
    reason: str | None


def read_blocks(page: Path) -> list[Block]:
    """All fenced blocks of a page, in order."""
    text = page.read_text(encoding='utf-8')
    return [
        Block(page, text.count('\n', 0, match.start('text')) + 1, match['language'], match['text'], match['reason'])
        for match in FENCE.finditer(text)
    ]


def logical_lines(text: str) -> list[str]:
    """The commands of a bash block: continued lines joined, comments and empty lines left out."""
    lines = re.sub(r'\\\n\s*', '', text).splitlines()
    return [line.strip() for line in lines if line.strip() and not line.lstrip().startswith('#')]


@dataclass(frozen=True)
class Command:
    """One line of a bash block.

    Attributes:
        line (str): As it stands there.
        words (list[str]): Of a program of this project, without variables before it; empty for the shell's own.
        variables (dict[str, str]): Those before it.
    """

    line: str
    words: list[str]
    variables: dict[str, str]

    @classmethod
    def parse(cls, line: str) -> 'Command':
        """Of a logical line."""
        if SHELL.search(line):
            return cls(line, [], {})
        words = shlex.split(line, comments=True)
        variables = {}
        while re.match('[A-Z_]+=', words[0]):
            name, _, value = words.pop(0).partition('=')
            variables[name] = value
        return cls(line, words, variables)

    def tool(self) -> list[str] | None:
        """The Python script behind the command and its arguments; launchers become the tool they launch."""
        words = self.words
        if not words:
            return None
        if words[0] == 'python':
            return words[1:] if words[1].endswith('.py') else None
        name = words[0].removeprefix('tools/')
        if name == 'dist_train.sh':
            return ['tools/train.py', words[1], *words[3:]]
        if name == 'dist_test.sh':
            return ['tools/test.py', words[1], words[2], *words[4:]]
        if name == 'slurm_train.sh':
            return ['tools/train.py', words[3], '--work-dir', words[4], *words[5:]]
        if words[:2] == ['sbatch', 'tools/cluster/slurm.sbatch']:
            return ['tools/train.py', words[2], '--work-dir', words[3], *words[4:]]
        if name == 'slurm_test.sh':
            return ['tools/test.py', words[3], words[4], *words[5:]]
        return None
