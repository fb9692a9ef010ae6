"""k-NN, zero-shot, linear probe, few labels and retrieval of a frozen student, on features that are computed once."""

import argparse

from lgd_mm.api.beginnings import check_backbone
from lgd_mm.console.progress import LOADING, begin
from lgd_mm.errors import reported
from lgd_mm.io.argument_types import above_zero, at_least
from lgd_mm.io.inputs import check_config, check_weights_file
from lgd_mm.io.options import OptionsAction
from lgd_mm.language import category_names


def parse_args() -> argparse.Namespace:
    """A config and a student, and how the probe is trained, as far as it is given."""
    parser = argparse.ArgumentParser(description=__doc__, argument_default=argparse.SUPPRESS)
    parser.add_argument('config', help='config for k-NN, linear probe or zero-shot classification')
    parser.add_argument('checkpoint', help='student.safetensors, student.pth or a checkpoint of the pre-training, '
                        'which zero-shot needs')
    parser.add_argument('--backbone', metavar='NAME', help="in the place of the config's own: timm/NAME, one of "
                        '`lgd-mm list students`, or "checkpoint": that of the student, so that any config fits it')
    parser.add_argument('--work-dir', help="folder that keeps the features (default: the config's, or work_dirs/NAME)")
    parser.add_argument('--lrs', nargs='+', type=above_zero, metavar='RATE',
                        help='learning rates of the probe, trained at once (default: 0.1 0.3 1 3 10 30 100)')
    parser.add_argument('--epochs', type=at_least(1), metavar='N', help='of the probe (default: 100)')
    parser.add_argument('--shots', nargs='+', type=at_least(1), metavar='N',
                        help='numbers of images of each class that a logistic regression learns from, such as 1 5 10 20'
                        ' (default: none)')
    parser.add_argument('--draws', type=at_least(1), metavar='N', help='of these images (default: 5)')
    parser.add_argument('--categories', nargs='+', metavar='NAME', help='names of the classes for zero-shot, or one '
                        'file or set of them (default: those in the config)')
    parser.add_argument('--cfg-options', nargs='+', action=OptionsAction, metavar='KEY=VALUE',
                        help='overwrite keys of the config, lists as key="[a,b]"')
    return parser.parse_args()


def main() -> None:
    """Evaluate, and print the tables."""
    args = vars(parse_args())
    check_config(args['config'])
    check_weights_file(args['checkpoint'])
    backbone = args.pop('backbone', None)
    if backbone and backbone != 'checkpoint':
        check_backbone(backbone)
    if len(args.get('categories') or ()) == 1:
        [args['categories']] = args['categories']
        category_names(args['categories'])
    begin(LOADING)
    from lgd_mm.console.tables import PlainConsole
    from lgd_mm.evaluation import evaluate_features
    from lgd_mm.evaluation.report import results_table
    if backbone:
        from lgd_mm.api.backbones import backbone_named
        args['backbone'] = backbone_named(args['checkpoint'] if backbone == 'checkpoint' else backbone)
    PlainConsole().print(results_table(evaluate_features(**args)))


if __name__ == '__main__':
    with reported():
        main()
