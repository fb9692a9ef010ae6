"""What a student of vision and language says of regions: numpy, tokenizers and onnxruntime are all it needs.

    python predict.py regions.npz
    python predict.py regions.npz "what colour is the car?"

The regions are of the detector that README.md names, by falling score: ``boxes`` (n, 4), corners ``x1, y1, x2, y2`` in
pixels of the image, ``features`` (n, D), ``tags`` (n, ), names of classes, and ``size``, width and height of the image.
"""

import json
import os
import sys
from collections.abc import Sequence
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from tokenizers.implementations.bert_wordpiece import BertWordPieceTokenizer


class Student:
    """A graph, and what lies beside it.

    Args:
        folder (str): Folder of an export. Defaults to that of this file.
    """

    def __init__(self, folder: str = os.path.dirname(os.path.abspath(__file__))) -> None:
        with open(os.path.join(folder, 'network.json'), encoding='utf-8') as file:
            self.about = json.load(file)
        pieces = lines_of(os.path.join(folder, 'vocab.txt'))
        self.number = {piece: number for number, piece in enumerate(pieces)}
        self.tokenizer = BertWordPieceTokenizer(self.number, lowercase=True)
        self.names = lines_of(os.path.join(folder, 'answers.txt')) if self.about['does'] == 'answers' else []
        self.session = onnxruntime.InferenceSession(os.path.join(folder, self.about['graph']),
                                                    providers=['CPUExecutionProvider'])

    def caption(self, boxes: NDArray[Any], features: NDArray[Any], tags: Sequence[str], size: Sequence[int]) -> str:
        """Write a caption: the likeliest word each time, which is what stands at a [MASK] behind those before."""
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
        pieces = self.tokenizer.encode(question, add_special_tokens=False).ids[:self.about['lengths'][0] - 2]
        text = [self.number['[CLS]'], *pieces, self.number['[SEP]']]
        chances = 1 / (1 + np.exp(-self.logits(text, tags, self.regions(boxes, features, size))))
        return [(self.names[place], float(chances[place])) for place in chances.argsort()[::-1][:top]]

    def regions(self, boxes: NDArray[Any], features: NDArray[Any], size: Sequence[int]) -> NDArray[Any]:
        """Features with their boxes behind them: corners and sides, as parts of the image (n, D + 6)."""
        corners = np.asarray(boxes, np.float32) / np.tile(np.asarray(size, np.float32), 2)
        sides = corners[:, 2:] - corners[:, :2]
        return np.concatenate([features, corners, sides], axis=1, dtype=np.float32)

    def logits(self, text: Sequence[int], tags: Sequence[str], regions: NDArray[Any]) -> NDArray[Any]:
        """Of the words at each place of the text, or of the answers."""
        length, of_tags, most = self.about['lengths']
        pieces: list[int] = []
        if of_tags:
            for tag in tags[:most]:
                pieces += self.tokenizer.encode(str(tag), add_special_tokens=False).ids
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


def main() -> None:
    """Print what is asked for of the regions in a file."""
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    student = Student()
    with np.load(sys.argv[1], allow_pickle=False) as file:
        regions = {name: file[name] for name in ('boxes', 'features', 'tags', 'size')}
    if student.about['does'] == 'captions':
        print(student.caption(**regions))
    for question in sys.argv[2:]:
        for answer, probability in student.answers(question, **regions):
            print(f'{question} {answer} {probability:.1%}')


if __name__ == '__main__':
    main()
