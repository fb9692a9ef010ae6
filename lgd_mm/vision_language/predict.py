"""What a student of vision and language says of regions: numpy, tokenizers and onnxruntime are all it needs.

    python predict.py regions.npz
    python predict.py regions.npz "what colour is the car?"

The regions are of the detector that README.md names, by falling score: ``boxes`` (n, 4), corners ``x1, y1, x2, y2`` in
pixels of the image, ``features`` (n, D), ``tags`` (n, ), names of classes, and ``size``, width and height of the image.
"""

import argparse
import json
import os
import sys
import zipfile
from collections.abc import Sequence
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from tokenizers.implementations.bert_wordpiece import BertWordPieceTokenizer


class Refused(ValueError):
    """What was given cannot be used; the message says why, and the cure."""


class Student:
    """A graph, and what lies beside it; its methods raise :class:`Refused` for what they cannot read.

    Args:
        folder (str): Folder of an export. Defaults to that of this file.
    """

    def __init__(self, folder: str = os.path.dirname(os.path.abspath(__file__))) -> None:
        with open(os.path.join(folder, 'network.json'), encoding='utf-8') as file:
            self.about = json.load(file)
        pieces = lines_of(os.path.join(folder, 'vocab.txt'))
        self.number = {piece: number for number, piece in enumerate(pieces)}
        self.tokenizer = BertWordPieceTokenizer(self.number, lowercase=True)
        self.tokenizer._tokenizer.encode_special_tokens = True  # "[MASK]" in a question is three words of a person
        self.names = lines_of(os.path.join(folder, 'answers.txt')) if self.about['does'] == 'answers' else []
        self.session = onnxruntime.InferenceSession(os.path.join(folder, self.about['graph']),
                                                    providers=['CPUExecutionProvider'])

    def caption(self, boxes: NDArray[Any], features: NDArray[Any], tags: Sequence[str], size: Sequence[int]) -> str:
        """Write a caption: the likeliest word each time, which is what stands at a [MASK] behind those before."""
        self.check_does('captions')
        regions = self.regions(boxes, features, size)
        words = [self.number['[CLS]']]
        unwritten = [self.number[piece] for piece in ('[PAD]', '[UNK]', '[CLS]', '[MASK]')]
        for place in range(1, 1 + min(self.about['longest'], self.about['lengths'][0] - 1)):
            logits = self.logits([*words, self.number['[MASK]']], tags, regions)[place]
            logits[unwritten] = -np.inf
            words.append(int(logits.argmax()))
            if words[-1] == self.number['[SEP]']:
                break
        written: str = self.tokenizer.decode(words, skip_special_tokens=True)
        return written

    def answers(self, question: str, boxes: NDArray[Any], features: NDArray[Any], tags: Sequence[str],
                size: Sequence[int], top: int = 3) -> list[tuple[str, float]]:
        """The likeliest answers with their probabilities, each that of one answer alone."""
        self.check_does('answers')
        text = [self.number['[CLS]'], *self.question(question), self.number['[SEP]']]
        chances = 1 / (1 + np.exp(-self.logits(text, tags, self.regions(boxes, features, size))))
        return [(self.names[place], float(chances[place])) for place in chances.argsort()[::-1][:top]]

    def check_does(self, wanted: str) -> None:
        """See that it is trained for ``'captions'`` or ``'answers'``."""
        if self.about['does'] != wanted:
            raise Refused('this student answers questions: ask one, such as "what colour is the car?"'
                          if wanted == 'captions' else
                          'this student writes captions, and answers no questions: give regions alone')

    def question(self, question: str) -> list[int]:
        """Word pieces of a question that can be asked."""
        words = self.tokenizer.pre_tokenizer.pre_tokenize_str(self.tokenizer.normalizer.normalize_str(question))
        if not words:
            raise Refused('the question is empty: ask something, such as "what colour is the car?"')
        if not any(self.is_known(word) for word, _ in words if any(map(str.isalnum, word))):
            raise Refused(f'the student knows no word of the question {question!r}: ask in the words of the questions '
                          'that it was trained on')
        pieces: list[int] = self.tokenizer.encode(question, add_special_tokens=False).ids
        longest = self.about['lengths'][0] - 2
        if len(pieces) > longest:
            raise Refused(f'the question {question!r} has {len(pieces)} word pieces, and the student reads {longest}: '
                          'shorten it')
        return pieces

    def is_known(self, word: str) -> bool:
        """Whether pieces make up a word, and do not spell it from its first letter on."""
        pieces = self.tokenizer.encode(word, add_special_tokens=False).ids
        return self.number['[UNK]'] not in pieces and (
            len(pieces) == 1 or pieces[0] != self.number.get(word[0]) or not word[0].isalpha())

    def regions(self, boxes: NDArray[Any], features: NDArray[Any], size: Sequence[int]) -> NDArray[Any]:
        """Features with their boxes behind them: corners and sides, as parts of the image (n, D + 6)."""
        arrays = dict(boxes=np.asarray(boxes), features=np.asarray(features), size=np.asarray(size))
        inputs = {each.name: each.shape for each in self.session.get_inputs()}
        count = arrays['boxes'].shape[0] if arrays['boxes'].ndim else 0
        shapes = dict(boxes=(count, 4), features=(count, inputs['regions'][2] - 6), size=(2, ))
        for name, given in arrays.items():
            if given.shape != shapes[name]:
                raise Refused(f'{name} of the regions are {given.shape}, and must be {shapes[name]}: give those of the '
                              'detector that README.md names')
            if given.dtype.kind not in 'fiu' or not np.isfinite(given).all():
                raise Refused(f'{name} of the regions are not finite numbers: extract them again')
        if not (arrays['size'] > 0).all():
            raise Refused(f'size of the regions is {arrays["size"].tolist()}, and must be width and height of the '
                          'image')
        corners = np.asarray(boxes, np.float32) / np.tile(np.asarray(size, np.float32), 2)
        sides = corners[:, 2:] - corners[:, :2]
        return np.concatenate([features, corners, sides], axis=1, dtype=np.float32)

    def logits(self, text: Sequence[int], tags: Sequence[str], regions: NDArray[Any]) -> NDArray[Any]:
        """Of the words at each place of the text, or of the answers."""
        length, of_tags, most = self.about['lengths']
        pieces: list[int] = []
        names = [str(tag) for tag in np.atleast_1d(tags)]
        strange = next((name for name in names if name not in self.about['tags']), None)
        if strange is not None:
            raise Refused(f'tag {strange!r} of the regions is no class of the detector that README.md names: give '
                          'regions of that one')
        if of_tags:
            for name in names[:most]:
                pieces += self.tokenizer.encode(name, add_special_tokens=False).ids
            pieces = [*pieces[:of_tags - 1], self.number['[SEP]']]
        regions = regions[:most]
        valid = np.concatenate([np.arange(places) < used for places, used in (
            (length, len(text)), (of_tags, len(pieces)), (most, len(regions)))])
        inputs = dict(text=padded(np.array(text, np.int64), length), tags=padded(np.array(pieces, np.int64), of_tags),
                      regions=padded(regions, most), valid=valid)
        found: NDArray[Any] = self.session.run(['logits'], {
            each.name: inputs[each.name][None] for each in self.session.get_inputs()})[0][0]
        return found


def padded(rows: NDArray[Any], length: int) -> NDArray[Any]:
    """Rows with zeros behind them."""
    return np.concatenate([rows, np.zeros((length - len(rows), *rows.shape[1:]), rows.dtype)])


def lines_of(file: str) -> list[str]:
    """The lines of a text."""
    with open(file, encoding='utf-8', newline='\n') as stream:
        return stream.read().removesuffix('\n').split('\n')


def read_regions(path: str) -> dict[str, Any]:
    """The regions of an image in a file."""
    names = ('boxes', 'features', 'tags', 'size')
    try:
        with np.load(path, allow_pickle=False) as file:
            missing = [name for name in names if name not in file.files]
            if not missing:
                return {name: file[name] for name in names}
    except FileNotFoundError:
        raise Refused(f'{path} does not exist: write it as README.md says') from None
    except (AttributeError, EOFError, OSError, TypeError, ValueError, zipfile.BadZipFile):  # of a .npy, there is one
        raise Refused(f'{path} is no .npz file of numbers and names: write it as README.md says') from None
    raise Refused(f'{path} has no {", ".join(missing)}: write it as README.md says')


def say(path: str, questions: Sequence[str]) -> None:
    """Print the caption, or the answers to each question."""
    regions, student = read_regions(path), Student()
    student.check_does('answers' if questions else 'captions')
    if not questions:
        print(student.caption(**regions))
    for found in [(question, student.answers(question, **regions)) for question in questions]:  # all, or nothing
        for answer, probability in found[1]:
            print(f'{found[0]} {answer} {probability:.1%}')


def main() -> None:
    """Print what is asked for of the regions in a file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('regions', help='.npz file of the regions of an image')
    parser.add_argument('questions', nargs='*', help='about it, of a student that answers questions')
    args = parser.parse_args()
    try:
        say(args.regions, args.questions)
    except Refused as error:
        print(f'error: {error}', file=sys.stderr)
        sys.exit(2)


if __name__ == '__main__':
    main()
