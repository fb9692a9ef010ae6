"""Words of captions, much as the Penn Treebank's tokenizer that COCO's evaluation runs in Java."""

import re
from collections import Counter
from collections.abc import Sequence

#: Named in results: scores of captions that were cut otherwise are not the same scores.
TOKENIZER = 'regex-ptb'
#: As the treebank cuts them: the verb off its "n't" and the noun off its "'s".
CUT = re.compile(r"(?P<verb>\w+?)(?P<not>n't)\b|(?P<ending>'(?:s|m|d|ll|re|ve))\b")
#: A number with its commas, points and slashes, or a word with its hyphens and points, or an ending.
WORD = re.compile(r"\d+(?:[.,:/]\d+)*(?:st|nd|rd|th|s)?\b(?!-\w)|(?:[^\W\d_]\.){2,}|\w+(?:[-&.]\w+)*|'\w+")
TWO = {'cannot': ('can', 'not'), 'gonna': ('gon', 'na'), 'gotta': ('got', 'ta'), 'wanna': ('wan', 'na')}


def caption_tokens(caption: str) -> list[str]:
    """Words in lower case, without punctuation.

    Args:
        caption (str): A sentence.
    """
    spaced = CUT.sub(lambda found: f' {found["verb"]} {found["not"]} ' if found['not'] else f" {found['ending']} ",
                     caption.lower().replace('’', "'"))
    words: list[str] = []
    for part in spaced.split():
        if part == "n't":
            words.append(part)
        else:
            for word in WORD.findall(part):
                words += TWO.get(word, (word, ))
    return words


def ngrams(tokens: Sequence[str], n: int) -> Counter[tuple[str, ...]]:
    """How often each run of n words is there."""
    return Counter(zip(*(tokens[start:] for start in range(n))))
