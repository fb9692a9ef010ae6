"""Arrange a public data set as the configs expect it, or only look at it: python tools/prepare_dataset.py coco ROOT

Put the archives into ROOT or ROOT/downloads; without them, the command says which they are and where they come from.
It downloads nothing, overwrites nothing, and goes on after any stop. It ends with 0 if the data set is whole, else 3.
"""

import argparse
import sys

from lgd_mm.console import interrupts
from lgd_mm.console.progress import LOADING, begin, still
from lgd_mm.errors import DataError, reported
from lgd_mm.io.inputs import check_folder

NAMES = ('imagenet', 'caltech256', 'coco', 'lvis', 'ade20k', 'cityscapes', 'coco-captions', 'vqa', 'folder')


def main() -> int:
    """Prepare or check, and print what was found."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('dataset', choices=NAMES, help='folder: any set of train/<class>/* and perhaps val/<class>/*')
    parser.add_argument('root', help='folder of the data set')
    parser.add_argument('--check', action='store_true', help='only look, change nothing')
    args = parser.parse_args()
    check_folder(args.root, 'give that of the data set, or make it and put the archives there')
    begin(LOADING)
    from lgd_mm.preparation.catalogue import SPECS
    from lgd_mm.preparation.prepare import prepare
    try:
        with still('checking' if args.check else 'preparing'):
            return 0 if prepare(SPECS[args.dataset], args.root, check=args.check) else DataError.code
    except KeyboardInterrupt:
        print('stopped; the same command goes on')
        return interrupts.STATUS


if __name__ == '__main__':
    with reported():
        sys.exit(main())
