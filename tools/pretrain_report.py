"""Write the report of a pre-training again, from its work dir."""

import argparse

from lgd_mm.console.progress import LOADING, begin
from lgd_mm.errors import reported
from lgd_mm.io.inputs import check_folder


def main() -> None:
    """Read what the run left, and write report.html beside it."""
    from lgd_mm.io.options import OptionsAction
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('work_dir', help='folder of the run')
    parser.add_argument('--cfg-options', nargs='+', action=OptionsAction, metavar='KEY=VALUE',
                        help='overwrite keys of its config, such as the place of the images')
    args = parser.parse_args()
    check_folder(args.work_dir, 'give the work dir of a pre-training')
    begin(LOADING)
    from lgd_mm.engine.report_work_dir import report_work_dir
    print(report_work_dir(args.work_dir, args.cfg_options))


if __name__ == '__main__':
    with reported():
        main()
