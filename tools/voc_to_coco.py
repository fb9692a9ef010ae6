"""Turn a data set in Pascal VOC's layout into one in COCO's format: python tools/voc_to_coco.py VOC_ROOT OUT"""

import argparse

from lgd_mm.console.progress import LOADING, begin
from lgd_mm.console.rank_zero import print_rank0
from lgd_mm.errors import reported
from lgd_mm.io.inputs import check_folder


def main() -> None:
    """Convert, and print what was written."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('root', help='folder with Annotations, JPEGImages and ImageSets, or a VOCdevkit')
    parser.add_argument('out', help='folder to write annotations/{train,val}.json and {train,val}/ into')
    args = parser.parse_args()
    check_folder(args.root, "give VOC's folder")
    begin(LOADING)
    from lgd_mm.preparation.voc_to_coco import voc_to_coco
    for split, images in voc_to_coco(args.root, args.out).items():
        print_rank0(f'{args.out}/annotations/{split}.json: {images:,} images in {args.out}/{split}')


if __name__ == '__main__':
    with reported():
        main()
