"""Compute the teacher's embeddings of many views once, for every student, every set of names and every rival:

python tools/cache_teacher.py configs/lgd/r18_pretrain.py --views 50 --out data/caches/imagenet_rn50

Stopped at any moment, the same command goes on. Several processes or machines: give each its --share, or start it with
torchrun.
"""

import argparse
import sys

from lgd_mm.console import interrupts
from lgd_mm.console.progress import LOADING, begin
from lgd_mm.errors import UserError, reported
from lgd_mm.io.argument_types import above_zero, at_least
from lgd_mm.io.inputs import check_config
from lgd_mm.io.shares import share_of


def main() -> None:
    """Fill a cache, or plan it."""
    from lgd_mm.io.options import OptionsAction
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('config', help='pre-training config: its teacher, images, views and seed')
    parser.add_argument('--views', type=int, required=True, metavar='N', help='views of each image')
    parser.add_argument('--crops', type=int, default=0, metavar='T',
                        help='beside them, smaller crops of each image, for dense guidance from the cache (default: 0)')
    parser.add_argument('--crop-scale', type=float, nargs=2, default=(0.02, 0.2), metavar=('LOW', 'HIGH'),
                        help='share of the image that a crop takes (default: 0.02 0.2)')
    parser.add_argument('--out', required=True, metavar='FOLDER', help='folder of the cache')
    parser.add_argument('--plan', action='store_true', help='only say its size, its time, and when it pays')
    parser.add_argument('--of', type=at_least(1), metavar='N', help='with --plan and --rate: of so many images')
    parser.add_argument('--rate', type=above_zero, metavar='R', help='with --plan: a device sees R views in a second; '
                        'nothing is measured')
    parser.add_argument('--devices', type=at_least(1), default=1, metavar='N',
                        help='with --rate: how many (default: 1)')
    parser.add_argument('--int8', action='store_true', help='embeddings in 8 bits for each number: half the disk')
    parser.add_argument('--share', metavar='NUMBER/COUNT', help='the part of this process or machine, such as 2/8')
    parser.add_argument('--cfg-options', nargs='+', action=OptionsAction, metavar='KEY=VALUE',
                        help='overwrite keys of the config')
    args = parser.parse_args()
    if args.views < 1:
        raise UserError(f'--views {args.views}: give 1 or more')
    if args.crops < 0:
        raise UserError(f'--crops {args.crops}: give 0 or more')
    if not 0 < args.crop_scale[0] <= args.crop_scale[1] <= 1:
        raise UserError(f'--crop-scale {args.crop_scale[0]} {args.crop_scale[1]}: give two shares of the image, the '
                        'smaller one first, such as 0.02 0.2')
    if (args.of or args.rate) and not (args.plan and args.of and args.rate):
        raise UserError('--of and --rate plan for images that are not here: give both, and --plan')
    part = share_of(args.share)
    check_config(args.config)
    begin(LOADING)
    from lgd_mm.engine.fill_teacher_cache import CacheFiller
    filler = CacheFiller(args.config, args.out, args.views, part, args.cfg_options, args.crops, tuple(args.crop_scale),
                         'int8' if args.int8 else 'float16')
    if args.rate:
        print(filler.plan_for(args.of, args.rate, args.devices))
    elif args.plan:
        print(filler.plan())
    else:
        filler.fill()


if __name__ == '__main__':
    with reported():
        try:
            main()
        except KeyboardInterrupt:
            print('stopped; the same command goes on')
            sys.exit(interrupts.STATUS)
