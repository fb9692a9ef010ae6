"""Add a finished run to the local zoo, for mmpretrain.get_model(NAME, pretrained=True)."""

import argparse

from lgd_mm.console.progress import LOADING, begin
from lgd_mm.console.rank_zero import print_rank0
from lgd_mm.errors import reported
from lgd_mm.io.inputs import check_folder


def main() -> None:
    """Add, and print the names and files."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('run', help='work dir of a run of tools/train.py')
    parser.add_argument('--name', help='name of the model (default: of the work dir)')
    parser.add_argument('--zoo', metavar='DIR', help='folder of the zoo (default: $LGD_ZOO_DIR, else '
                        '~/.local/share/lgd_mm/zoo)')
    args = parser.parse_args()
    check_folder(args.run, 'give the work dir of a run of tools/train.py')
    begin(LOADING)
    from lgd_mm.zoo.add import add_run
    from lgd_mm.zoo.index import zoo_folder
    for model in add_run(args.run, args.name, args.zoo):
        print_rank0(f'{model.name}: {model.weights}')
    if args.zoo and zoo_folder().resolve() != model.weights.parents[1].resolve():
        print(f'to have get_model find it: export LGD_ZOO_DIR={model.weights.parents[1].resolve()}')


if __name__ == '__main__':
    with reported():
        main()
