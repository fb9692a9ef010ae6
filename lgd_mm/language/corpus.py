"""Texts in files of captions and questions, and the words of theirs that a vocabulary lacks."""

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from lgd_mm.console.printable import shown
from lgd_mm.errors import DataError
from lgd_mm.io.texts import read_json
from lgd_mm.language.wordpiece import WordPieces

#: Keys under which annotations have lists of entries: of COCO's captions, VQA v2, and Karpathy's file.
LISTS = ('annotations', 'questions', 'images', 'sentences')
#: Keys of texts.
TEXTS = ('caption', 'question', 'raw')
#: Unknown words that are named.
NAMED = 5


def read_corpus(file: str) -> list[str]:
    """Captions and questions in a JSON file: COCO's captions, their Karpathy split in either form, VQA v2 or GQA.

    Raises:
        UserError: If it cannot be read, or has none.
    """
    texts = [text for text in _texts(read_json(file)) if text.strip()]
    if not texts:
        raise DataError(f'{file} has no captions or questions: give annotations in the form of COCO, VQA v2 or GQA')
    return texts


def _texts(content: Any) -> Iterator[str]:
    if isinstance(content, list):
        for entry in content:
            yield from _texts(entry)
    elif isinstance(content, dict):
        for key in TEXTS:
            found = content.get(key)
            yield from (text for text in (found if isinstance(found, list) else [found]) if isinstance(text, str))
        for key in LISTS:
            if isinstance(content.get(key), list):
                yield from _texts(content[key])


class Unknown(NamedTuple):
    """Words of texts that a vocabulary lacks.

    Attributes:
        words (int): Words of all texts.
        lacking (Counter): How often each of them is there that becomes [UNK].
    """

    words: int
    lacking: Counter[str]

    def sentence(self, vocabulary: str) -> str:
        """What a person is told of them.

        Args:
            vocabulary (str): Its file.
        """
        most = ', '.join(f'{shown(word)} ({count:,})' for word, count in self.lacking.most_common(NAMED))
        return (f'{self.lacking.total():,} of {self.words:,} words of the texts become [UNK], as {vocabulary} lacks '
                f'them; the most frequent: {most}')


def unknown_words(texts: Iterable[str], vocabulary: WordPieces) -> Unknown:
    """Count the words that a vocabulary lacks.

    Args:
        texts (Iterable[str]): Captions or questions.
        vocabulary (WordPieces): Of word pieces, whose words these would become.
    """
    chunks = Counter(chunk for text in texts for chunk in text.split())  # each is cut once, however often it is there
    words: Counter[str] = Counter()
    for chunk, count in chunks.items():
        for word in vocabulary.words_of(chunk):
            words[word] += count
    return Unknown(words.total(), Counter({
        word: count for word, count in words.items() if vocabulary.special.unknown in vocabulary.pieces(word)}))
