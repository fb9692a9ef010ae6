"""Copy a folder of images with smaller ones, which load faster: python tools/resize_dataset.py SRC DST

Names and sub-folders stay, so that class folders and lists fit the copy too. Boxes and masks would not fit: this is for
pre-training and classification. Nothing is overwritten, and the same command goes on after any stop.
"""

import argparse
import os
import shlex
import signal
import sys
from pathlib import Path

from rich.filesize import decimal

from lgd_mm.api.images import check_images
from lgd_mm.console import interrupts
from lgd_mm.console.progress import LOADING, begin
from lgd_mm.console.rank_zero import print_rank0
from lgd_mm.errors import reported


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('source', type=Path, metavar='SRC', help='folder with images, at any depth')
    parser.add_argument('target', type=Path, metavar='DST', help='folder for the copy, outside SRC')
    parser.add_argument('--short-side', type=int, default=256, metavar='PIXELS',
                        help='of the copies; smaller images stay as they are. Defaults to 256')
    parser.add_argument('--quality', type=int, default=95, help='of JPEG, WebP and AVIF, 1 to 100. Defaults to 95')
    parser.add_argument('--jobs', type=int, default=len(os.sched_getaffinity(0)),
                        help='processes. Defaults to the number of cores')
    args = parser.parse_args()
    if args.short_side < 1 or args.jobs < 1 or not 1 <= args.quality <= 100:
        parser.error('--short-side and --jobs must be at least 1, and --quality 1 to 100')
    return args


def main() -> int:
    """Copy, and print what was left out and what it saves."""
    args = parse_args()
    check_images(args.source, 'SRC')
    begin(LOADING)
    from lgd_mm.console.tables import PlainConsole
    from lgd_mm.preparation.resize import resize_dataset
    interrupts.install((signal.SIGINT, signal.SIGTERM), ignored=True)
    try:
        summary = resize_dataset(args.source, args.target, args.short_side, args.quality, args.jobs, PlainConsole())
    except KeyboardInterrupt:
        print('stopped; the same command goes on')
        return interrupts.STATUS
    for copied in summary.unreadable:
        print_rank0(f'left out: {args.source / copied.path} cannot be read ({copied.reason})')
    left_out = f', {len(summary.unreadable):,} left out' if summary.unreadable else ''
    print(f'{summary.images:,} images: {decimal(summary.before)} before, {decimal(summary.after)} after; '
          f'{summary.others:,} other files{left_out}')
    print(f'to train on it: --cfg-options train_dataloader.dataset.data_root={shlex.quote(str(args.target))}')
    return 0


if __name__ == '__main__':
    with reported():
        sys.exit(main())
