"""Word pieces of captions, questions and tags, as BERT's; the work is that of the ``tokenizers`` library."""

import os
from collections import Counter
from collections.abc import Iterable
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

from tokenizers.implementations.bert_wordpiece import BertWordPieceTokenizer

from lgd_mm.errors import UserError
from lgd_mm.io.texts import read_text

#: In the order that a vocabulary of our own begins with.
SPECIAL = ('[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]')


class Special(NamedTuple):
    """Numbers of the word pieces that are no words.

    Attributes:
        padding (int): [PAD]; 0 in every vocabulary.
        unknown (int): [UNK].
        begin (int): [CLS].
        end (int): [SEP].
        mask (int): [MASK].
    """

    padding: int
    unknown: int
    begin: int
    end: int
    mask: int

    @property
    def unwritten(self) -> list[int]:
        """Those that no caption has in it."""
        return [self.padding, self.unknown, self.begin, self.mask]


class WordPieces:
    """A vocabulary of BERT's kind, without case.

    Args:
        words (list[str]): Its lines.
        name (str): Where they are from, for messages.

    Raises:
        UserError: If a special piece is missing, [PAD] is not the first, or a piece stands there twice.
    """

    def __init__(self, words: list[str], name: str) -> None:
        missing = next((piece for piece in SPECIAL if piece not in words), None)
        if missing is not None:
            raise UserError(f'{name} has no {missing}: give a vocabulary of BERT, or make one with '
                            'tools/make_vocabulary.py')
        if words[0] != SPECIAL[0]:
            raise UserError(f'{name} begins with {words[0]!r}: its first line must be [PAD], as in those of BERT')
        twice = next((word for word, count in Counter(words).items() if count > 1), None)
        if twice is not None:
            raise UserError(f'{name} has {twice!r} twice: each word piece has one line')
        self.words = words
        self.special = Special(*map(words.index, SPECIAL))

    @classmethod
    def read(cls, file: str | Path) -> 'WordPieces':
        """Those of a ``vocab.txt``.

        Raises:
            UserError: If it cannot be read, or is no such file.
        """
        if not os.path.exists(file):
            raise UserError(f'vocabulary: {file} does not exist: `python tools/prepare_dataset.py coco-captions ROOT` '
                            'says where that of BERT comes from, and tools/make_vocabulary.py makes one of your texts')
        words = read_text(file, 'vocabulary').split('\n')
        return cls(words[:-1] if words and not words[-1] else words, f'vocabulary: {file}')

    @classmethod
    def learnt(cls, texts: Iterable[str], size: int = 30_000, least: int = 2) -> 'WordPieces':
        """A vocabulary of a corpus; the same texts give the same one.

        Args:
            texts (Iterable[str]): Captions, questions, tags.
            size (int): Word pieces at most. Defaults to 30,000.
            least (int): Times that a piece must be there. Defaults to 2.
        """
        tokenizer, texts = BertWordPieceTokenizer(lowercase=True), list(texts)
        # Left to itself, tokenizers numbers the pieces within words in the order of a hash map, which decides between
        # merges of like frequency (its issue 1794): as special tokens they have their numbers before.
        inner = sorted({f'##{letter}' for text in texts for word in text_words(tokenizer, text) for letter in word[1:]})
        tokenizer.train_from_iterator(iter(texts), vocab_size=size, min_frequency=least,
                                      special_tokens=[*SPECIAL, *inner], show_progress=False)
        numbers = tokenizer.get_vocab()
        return cls(sorted(numbers, key=lambda word: numbers[word]), 'the vocabulary of the texts')

    @cached_property
    def _tokenizer(self) -> BertWordPieceTokenizer:
        tokenizer = BertWordPieceTokenizer({word: number for number, word in enumerate(self.words)}, lowercase=True)
        tokenizer._tokenizer.encode_special_tokens = True  # "[MASK]" in a caption is three words of a person
        return tokenizer

    def __getstate__(self) -> dict[str, Any]:
        """Without the tokenizer, which forgets that when it is copied."""
        return {key: value for key, value in vars(self).items() if key != '_tokenizer'}

    def __len__(self) -> int:
        return len(self.words)

    def pieces(self, text: str) -> list[int]:
        """Numbers of a text's pieces, without [CLS] and [SEP]."""
        numbers: list[int] = self._tokenizer.encode(text, add_special_tokens=False).ids
        return numbers

    def words_of(self, text: str) -> list[str]:
        """The words of a text, which are cut into pieces: in lower case, without accents, punctuation by itself."""
        return text_words(self._tokenizer, text)

    def unknown_words(self, text: str) -> tuple[list[str], bool]:
        """Words of a text that no pieces make up, or that begin with a single letter as a piece, since a vocabulary has
        all letters and so spells any word; and whether there is any other word."""
        words = [word for word in self.words_of(text) if any(map(str.isalnum, word))]
        unknown = [word for word in words if self._is_unknown(word)]
        return unknown, len(unknown) < len(words)

    def _is_unknown(self, word: str) -> bool:
        pieces = self.pieces(word)
        return self.special.unknown in pieces or (
            len(pieces) > 1 and self.words[pieces[0]] == word[0] and word[0].isalpha())

    def text(self, pieces: Iterable[int]) -> str:
        """The text of pieces up to the first [SEP]."""
        words = []
        for piece in pieces:
            if piece == self.special.end:
                break
            words.append(piece)
        written: str = self._tokenizer.decode(words, skip_special_tokens=True)
        return written


def text_words(tokenizer: BertWordPieceTokenizer, text: str) -> list[str]:
    """The words of a text as a tokenizer sees them: in lower case, without accents, punctuation by itself."""
    return [word for word, _ in tokenizer.pre_tokenizer.pre_tokenize_str(tokenizer.normalizer.normalize_str(text))]
