"""Extract what a detector sees of images, once for every model of vision and language:

python tools/extract_regions.py STUDENT_CONFIG STUDENT --split train --out regions/student
python tools/extract_regions.py TEACHER_CONFIG TEACHER --split train --boxes regions/student --out regions/teacher
python tools/extract_regions.py configs/lgd/r18_pretrain.py student.safetensors --grid 7 --images images --out cells

The second has the teacher's features at the student's boxes, in the same order. Stopped at any moment, the same command
goes on. Several processes or machines: give each its --share, or start it with torchrun.
"""

import argparse
import os
import sys

from lgd_mm.console import interrupts
from lgd_mm.errors import UserError, reported
from lgd_mm.io.inputs import check_config, check_weights_file
from lgd_mm.io.shares import share_of


def parse_args() -> argparse.Namespace:
    """A config, its checkpoint, and what is to be extracted."""
    from lgd_mm.io.options import OptionsAction
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('config', help="a two-stage detector's; with --grid that of a student, or of a pre-training")
    parser.add_argument('checkpoint', nargs='?',
                        help="the detector's; with --grid a student, or none for the teacher of the config")
    parser.add_argument('--out', required=True, metavar='FOLDER', help='folder of the store')
    parser.add_argument('--images', metavar='FOLDER', help='all images below it (default: those of the config)')
    parser.add_argument('--split', choices=('train', 'val', 'test'), default='test',
                        help='of the config, whose images are taken (default: test)')
    parser.add_argument('--boxes', metavar='STORE', help="take features at another detector's boxes, in their order")
    parser.add_argument('--grid', type=int, metavar='G', help='take G x G cells of the images in place of boxes')
    parser.add_argument('--most', type=int, metavar='N', help='boxes of an image, by falling score (default: 50)')
    parser.add_argument('--with-map', action='store_true', help="add the mean of a region's map to its feature, which "
                        'keeps what the classes do not tell, such as colours')
    parser.add_argument('--plan', action='store_true', help='only say its size, and what is missing')
    parser.add_argument('--share', metavar='NUMBER/COUNT', help='the part of this process or machine, such as 2/8')
    parser.add_argument('--cfg-options', nargs='+', action=OptionsAction, metavar='KEY=VALUE',
                        help='overwrite keys of the config')
    return parser.parse_args()


def check(args: argparse.Namespace) -> None:
    """Look at the options before the libraries are imported."""
    check_config(args.config)
    check_weights_file(args.checkpoint)
    if args.grid is not None and not 1 <= args.grid <= 32:
        raise UserError(f'--grid {args.grid}: give a number from 1 to 32')
    if args.most is not None and not 1 <= args.most <= 1000:
        raise UserError(f'--most {args.most}: give a number from 1 to 1000')
    for option, given in (('--boxes', args.boxes), ('--grid', args.grid)):
        if args.most is not None and given:
            raise UserError(f'--most {args.most} and {option} {given}: {option} says how many regions there are; leave '
                            '--most out')
    if args.boxes and args.grid:
        raise UserError(f'--boxes {args.boxes} and --grid {args.grid}: give one of them')
    if args.with_map and args.grid:
        raise UserError(f'--with-map and --grid {args.grid}: cells are means of a map already; leave --with-map out')
    if args.grid is None and args.checkpoint is None:
        raise UserError(f'{args.config} without a checkpoint: give that of the detector')
    if args.boxes and not os.path.isfile(os.path.join(args.boxes, 'regions.json')):
        raise UserError(f'--boxes {args.boxes} holds no regions.json: give a folder that this tool wrote')
    if args.images and not os.path.isdir(args.images):
        raise UserError(f'--images {args.images} is no folder: give the folder of the images')


def main() -> None:
    """Extract, or plan it."""
    args = parse_args()
    check(args)
    share = share_of(args.share)
    from lgd_mm.engine.regions import RegionExtractor
    extractor = RegionExtractor(args.config, args.checkpoint, args.out, images=args.images, split=args.split,
                                boxes=args.boxes, grid=args.grid, most=args.most or 50, with_map=args.with_map,
                                share=share, cfg_options=args.cfg_options)
    if args.plan:
        print(extractor.plan())
    else:
        extractor.extract()


if __name__ == '__main__':
    with reported():
        try:
            main()
        except KeyboardInterrupt:
            print('stopped; the same command goes on')
            sys.exit(interrupts.STATUS)
