"""Make a vocabulary of word pieces, as BERT's, of the texts that a model will read:

python tools/make_vocabulary.py data/coco/annotations/coco_karpathy_train.json --size 8000 --out data/words/vocab.txt

Texts are captions and questions in annotations of COCO (captions, or their Karpathy split), VQA v2 or GQA. The same
texts give the same vocabulary. Nothing is overwritten.
"""

import argparse
from pathlib import Path

from lgd_mm.errors import UserError, reported

#: Word pieces that a vocabulary may have.
SMALLEST, LARGEST = 100, 1_000_000


def main() -> None:
    """Read the texts, and write the vocabulary."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('annotations', nargs='+', metavar='ANNOTATIONS', help='JSON file of captions or questions')
    parser.add_argument('--size', type=int, default=8000, metavar='N',
                        help='word pieces at most, unless the letters alone are more (default: 8000)')
    parser.add_argument('--least', type=int, default=2, metavar='N',
                        help='how often a piece must be there to become one of its own (default: 2)')
    parser.add_argument('--out', required=True, metavar='FILE', help='such as vocab.txt')
    args = parser.parse_args()
    if not SMALLEST <= args.size <= LARGEST:
        raise UserError(f'--size {args.size}: give a number from {SMALLEST} to {LARGEST:,}')
    if args.least < 1:
        raise UserError(f'--least {args.least}: give a number from 1')
    missing = next((file for file in args.annotations if not Path(file).is_file()), None)
    if missing is not None:
        raise UserError(f'{missing} does not exist: give files of captions or questions')
    write(args.annotations, args.size, args.least, Path(args.out))


def write(annotations: list[str], size: int, least: int, out: Path) -> None:
    """Write a vocabulary.

    Args:
        annotations (list[str]): Files of texts.
        size (int): Word pieces at most.
        least (int): Times that a piece must be there.
        out (Path): File, whose folder is made.

    Raises:
        UserError: If a file cannot be read or has no texts, or another vocabulary lies in the place of this one.
    """
    from lgd_mm.console.progress import still
    from lgd_mm.io.files import read_plain, write_text
    from lgd_mm.language.corpus import read_corpus, unknown_words
    from lgd_mm.language.wordpiece import WordPieces
    with still('learning word pieces'):
        texts = [text for file in annotations for text in read_corpus(file)]
        pieces = WordPieces.learnt(texts, size, least)
    content = ''.join(f'{word}\n' for word in pieces.words)
    try:
        if out.exists() and read_plain(out) != content.encode():
            raise UserError(f'{out} is there with other content: give another --out, nothing is overwritten')
        if not out.exists():
            write_text(out, content)
    except OSError as error:
        raise UserError(f'{out} cannot be written ({error.strerror or error}): give a file in a folder that you may '
                        'write to') from error
    print(f'{out}: {len(pieces):,} word pieces of {len(texts):,} texts')
    unknown = unknown_words(texts, pieces)
    if unknown.lacking:
        print(unknown.sentence(str(out)))


if __name__ == '__main__':
    with reported():
        main()
