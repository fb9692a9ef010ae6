"""Train any config: language-guided distillation, detection, segmentation or classification."""

import argparse
import os

from lgd_mm.api.beginnings import check_backbone
from lgd_mm.console.progress import LOADING, begin
from lgd_mm.console.rank_zero import print_rank0
from lgd_mm.errors import reported
from lgd_mm.io.inputs import check_config, check_data_folder, check_weights_file
from lgd_mm.io.options import OptionsAction
from lgd_mm.storage.urls import is_url


def parser(read_options: type[argparse.Action] | str) -> argparse.ArgumentParser:
    """The options of OpenMMLab's own train.py, and ``--student``.

    Args:
        read_options (type | str): The action that reads ``--cfg-options``.
    """
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('config', help='config file')
    parser.add_argument('--student', metavar='FILE', help='start model.backbone from this student: '
                        'student.safetensors, student.pth or a checkpoint of the pre-training')
    parser.add_argument('--allow-partial-student', action='store_true',
                        help='start also if the student does not fill the whole backbone')
    parser.add_argument('--from-scratch', action='store_true',
                        help='begin at random, whatever weights the config names')
    parser.add_argument('--work-dir', help="folder for logs and checkpoints (default: the config's, or work_dirs/NAME)")
    parser.add_argument('--resume', nargs='?', const='auto', metavar='FILE',
                        help="go on from this checkpoint, from the work dir's latest, or from a run's copies at a URL")
    parser.add_argument('--copy-to', metavar='URL', help='copy each checkpoint to this folder of an object store')
    parser.add_argument('--amp', nargs='?', const='auto', choices=['auto', 'fp16', 'bf16'],
                        help='mixed precision (default: fp16 on a GPU, bf16 on the CPU)')
    parser.add_argument('--auto-scale-lr', action='store_true', help='scale the learning rate with the batch')
    parser.add_argument('--backbone', metavar='NAME', help="in the place of the config's own: timm/NAME, or one of "
                        '`lgd-mm list students`')
    parser.add_argument('--data', metavar='FOLDER', help='a set of your own: COCO, YOLO, VOC, masks, class folders '
                        'and more (docs/own_data.md)')
    parser.add_argument('--tracker', choices=['tensorboard', 'wandb'],
                        help='log to TensorBoard or Weights & Biases as well')
    parser.add_argument('--log-samples', action='store_true', help='keep what each validation image adds to the '
                        'metrics, in image_results.npz of the work dir')
    parser.add_argument('--cfg-options', nargs='+', action=read_options, metavar='KEY=VALUE',
                        help='overwrite keys of the config, lists as key="[a,b]"')
    parser.add_argument('--launcher', choices=['none', 'pytorch', 'slurm', 'mpi'], default='none')
    parser.add_argument('--local-rank', '--local_rank', type=int, default=0, help='set by older launchers')
    return parser


def given() -> list[str]:
    """The options that changed the config, word by word, for the next command."""
    args = vars(parser('extend').parse_args())
    words = []
    for option, value in {'--work-dir': args['work_dir'], '--backbone': args['backbone'],
                          '--data': args['data']}.items():
        if value:
            words += [f'{option}={value}'] if value.startswith('-') else [option, value]
    return [*words, *(['--cfg-options', *args['cfg_options']] if args['cfg_options'] else [])]


def main() -> None:
    """Train, and print the next command."""
    args = vars(parser(OptionsAction).parse_args())
    os.environ.setdefault('LOCAL_RANK', str(args.pop('local_rank')))
    check_config(args['config'])
    for path in (args['student'], args['resume'] if args['resume'] != 'auto' and not is_url(args['resume'] or '')
                 else None):
        check_weights_file(path)
    check_data_folder(args['data'])
    if args['backbone']:
        check_backbone(args['backbone'])
    begin(LOADING)
    from lgd_mm.engine.launch import train
    from lgd_mm.engine.summary import next_step
    if args['backbone']:
        from lgd_mm.api.backbones import backbone_named
        args['backbone'] = backbone_named(args['backbone'])
    runner = train(**args)
    if runner.rank == 0:
        print_rank0(next_step(args['config'], runner.cfg, given()))


if __name__ == '__main__':
    with reported():
        main()
