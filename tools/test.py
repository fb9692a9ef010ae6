"""Evaluate a checkpoint of any config on its test set."""

import argparse
import os

from lgd_mm.api.beginnings import check_backbone
from lgd_mm.console.progress import LOADING, begin
from lgd_mm.errors import reported
from lgd_mm.io.inputs import check_config, check_data_folder, check_weights_file
from lgd_mm.io.options import OptionsAction


def parser(read_options: type[argparse.Action] | str) -> argparse.ArgumentParser:
    """The options of OpenMMLab's own test.py.

    Args:
        read_options (type | str): The action that reads ``--cfg-options``.
    """
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('config', help='config file')
    parser.add_argument('checkpoint', nargs='?', help="checkpoint of the config's model (a teacher alone has none)")
    parser.add_argument('--work-dir', help="folder for logs (default: the config's, or work_dirs/NAME)")
    parser.add_argument('--out', metavar='FILE.pkl', help='write all predictions')
    parser.add_argument('--backbone', metavar='NAME', help="in the place of the config's own: timm/NAME, one of "
                        '`lgd-mm list students`, or "checkpoint": that of the checkpoint')
    parser.add_argument('--data', metavar='FOLDER', help='a set of your own: COCO, YOLO, VOC, masks, class folders '
                        'and more (docs/own_data.md)')
    parser.add_argument('--log-samples', action='store_true', help='keep what each test image adds to the '
                        'metrics, in image_results.npz of the work dir')
    parser.add_argument('--cfg-options', nargs='+', action=read_options, metavar='KEY=VALUE',
                        help='overwrite keys of the config, lists as key="[a,b]"')
    parser.add_argument('--launcher', choices=['none', 'pytorch', 'slurm', 'mpi'], default='none')
    parser.add_argument('--local-rank', '--local_rank', type=int, default=0, help='set by older launchers')
    return parser


def main() -> None:
    """Test, and print the metrics."""
    args = vars(parser(OptionsAction).parse_intermixed_args())  # also CONFIG --work-dir FOLDER CHECKPOINT
    os.environ.setdefault('LOCAL_RANK', str(args.pop('local_rank')))
    check_config(args['config'])
    check_weights_file(args['checkpoint'])
    check_data_folder(args['data'])
    if args['backbone'] and args['backbone'] != 'checkpoint':
        check_backbone(args['backbone'])
    begin(LOADING)
    from lgd_mm.engine.launch import test
    if args['backbone']:
        from lgd_mm.api.backbones import backbone_named
        own = args['backbone'] == 'checkpoint' and args['checkpoint']
        args['backbone'] = backbone_named(own or args['backbone'])
    test(**args)


if __name__ == '__main__':
    with reported():
        main()
