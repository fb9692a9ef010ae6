"""Word pieces: those of a corpus, what a person writes is a word, and what a vocabulary lacks is counted."""

import pickle

import pytest

from lgd_mm.errors import UserError
from lgd_mm.language.answers import read_answers
from lgd_mm.language.corpus import unknown_words
from lgd_mm.language.wordpiece import SPECIAL, WordPieces

TEXTS = ['a red star left of a blue ring', 'the red rings', 'a Köttbulle', 'what is left of the ring'] * 3


def test_a_vocabulary_of_a_corpus():
    pieces = WordPieces.learnt(TEXTS, size=80)
    assert pieces.words[:5] == list(SPECIAL) and len(set(pieces.words)) == len(pieces) <= 80
    assert {'red', 'ring', 'of', '##s'} <= set(pieces.words)
    assert all(pieces.text(pieces.pieces(text)) == text.lower().replace('ö', 'o') for text in TEXTS)
    assert WordPieces.learnt(TEXTS, size=80).words == pieces.words
    assert WordPieces.learnt(TEXTS[::-1], size=80).words == pieces.words  # their order decides nothing


def test_letters_are_always_there():
    pieces = WordPieces.learnt(['x', 'yz'], size=5)
    assert sorted(pieces.words[5:]) == ['##z', 'x', 'y', 'z']


def test_what_looks_like_a_special_piece_is_words_of_a_person():
    pieces = WordPieces([*SPECIAL, *'a[]', 'mask', 'sep', 'pad', 'cls'], 'here')
    assert pieces.pieces('a [MASK]') == [5, 6, 8, 7]
    for text in ('[SEP]', '[PAD] a', '[CLS]'):
        assert not set(pieces.pieces(text)) & set(pieces.special)
    assert pickle.loads(pickle.dumps(pieces)).pieces('a [MASK]') == [5, 6, 8, 7]  # in a loader's worker
    assert pieces.text([2, 5, 3, 6]) == 'a'


@pytest.mark.parametrize(('text', 'words'), [
    ('Ein Köttbullar 🍕🍕 日本', ['ein', 'kottbullar', '🍕🍕', '日', '本']),
    ("isn't it?", ['isn', "'", 't', 'it', '?']), ('\x00\u202e \t', []), ('a' * 300, ['a' * 300])])
def test_words_of_any_text(text, words):
    pieces = WordPieces([*SPECIAL, 'a', '##a'], 'here')
    assert pieces.words_of(text) == words
    unknown = unknown_words([text] * 2, pieces)
    assert unknown.words == 2 * len(words)
    assert unknown.lacking.total() == 2 * len(words)  # of 300 letters, too: BERT cuts no word of more than 100


def test_unknown_words_are_counted():
    """By hand: "a" and "dog" are known, "dogs" by its pieces."""
    pieces = WordPieces([*SPECIAL, 'a', 'dog', '##s'], 'here')
    texts = ['A dog, a cat', 'dogs', 'cat cat emu', '']
    unknown = unknown_words(texts, pieces)
    assert unknown.words == 9 and unknown.lacking == {',': 1, 'cat': 3, 'emu': 1}
    assert unknown.sentence('v.txt') == ("5 of 9 words of the texts become [UNK], as v.txt lacks them; the most "
                                         "frequent: 'cat' (3), ',' (1), 'emu' (1)")
    # An independent count: each text cut by the vocabulary itself.
    assert unknown.lacking.total() == sum(pieces.pieces(text).count(1) for text in texts)
    assert not unknown_words(['a dog'], pieces).lacking
    assert len(unknown_words([' '.join(map(chr, range(0x430, 0x450)))], pieces).sentence('v').split('), ')) == 5


def test_a_word_that_is_spelt_is_not_known():
    """By hand: a learnt vocabulary has all letters, and so pieces of any word."""
    pieces = WordPieces([*SPECIAL, *'abelwx', '##i', '##b', '##l', '##e', '##le', 'be', '##s'], 'here')
    assert pieces.unknown_words('a wibble') == (['wibble'], True)
    assert pieces.unknown_words('wibble') == (['wibble'], False)
    assert pieces.unknown_words('bes x') == ([], True)


@pytest.mark.parametrize(('words', 'sentence'), [
    ([*SPECIAL[:4], 'a'], r'here has no \[MASK\]: .*or make one with tools/make_vocabulary.py'),
    (['a', *SPECIAL], r"begins with 'a': its first line must be \[PAD\]"), ([*SPECIAL, 'a', 'a'], "has 'a' twice")])
def test_no_vocabulary(words, sentence):
    with pytest.raises(UserError, match=sentence):
        WordPieces(words, 'here')


def test_a_file_that_is_none(tmp_path):
    with pytest.raises(UserError, match='none.txt does not exist: .*prepare_dataset.py coco-captions ROOT'):
        WordPieces.read(tmp_path / 'none.txt')
    with pytest.raises(UserError, match='none.txt does not exist: .*prepare_dataset.py vqa ROOT'):
        read_answers(str(tmp_path / 'none.txt'))
    with pytest.raises(UserError, match='cannot be read'):
        WordPieces.read(tmp_path)
    (tmp_path / 'vocab.txt').write_bytes(b'[PAD]\n\xff')
    with pytest.raises(UserError, match='is not UTF-8'):
        WordPieces.read(tmp_path / 'vocab.txt')
