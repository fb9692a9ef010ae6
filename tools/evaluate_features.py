"""k-NN, zero-shot, linear probe, few labels and retrieval of a frozen student, on features that are computed once."""

import argparse

from lgd_mm.errors import reported


def parse_args() -> argparse.Namespace:
    """A config and a student, and how the probe is trained."""
    from lgd_mm.evaluation.evaluate import DRAWS, EPOCHS, RATES
    from lgd_mm.io.options import OptionsAction
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('config', help='config for k-NN, linear probe or zero-shot classification')
    parser.add_argument('checkpoint', help='student.safetensors, student.pth or a checkpoint of the pre-training, '
                        'which zero-shot needs')
    parser.add_argument('--work-dir', help="folder that keeps the features (default: the config's, or work_dirs/NAME)")
    parser.add_argument('--lrs', nargs='+', type=float, default=RATES, metavar='RATE',
                        help='learning rates of the probe, trained at once (default: '
                        f'{" ".join(f"{rate:g}" for rate in RATES)})')
    parser.add_argument('--epochs', type=int, default=EPOCHS, help=f'of the probe (default: {EPOCHS})')
    parser.add_argument('--shots', nargs='+', type=int, default=(), metavar='N',
                        help='numbers of images of each class that a logistic regression learns from, such as 1 5 10 20'
                        ' (default: none)')
    parser.add_argument('--draws', type=int, default=DRAWS, help=f'of these images (default: {DRAWS})')
    parser.add_argument('--categories', nargs='+', metavar='NAME', help='names of the classes for zero-shot, or one '
                        'file or set of them (default: those in the config)')
    parser.add_argument('--cfg-options', nargs='+', action=OptionsAction, metavar='KEY=VALUE',
                        help='overwrite keys of the config, lists as key="[a,b]"')
    return parser.parse_args()


def main() -> None:
    """Evaluate, and print the tables."""
    args = vars(parse_args())
    if args['categories'] and len(args['categories']) == 1:
        [args['categories']] = args['categories']
    from lgd_mm.console.tables import PlainConsole
    from lgd_mm.evaluation import evaluate_features
    from lgd_mm.evaluation.report import results_table
    PlainConsole().print(results_table(evaluate_features(**args)))


if __name__ == '__main__':
    with reported():
        main()
