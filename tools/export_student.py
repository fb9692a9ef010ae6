"""Write the bare backbone of a checkpoint as OUT.safetensors and OUT.pth, with its metadata; or with --to, a student
as another library takes it, in a folder with a model card.

    python tools/export_student.py work_dirs/r18_pretrain/epoch_200.pth student
    python tools/export_student.py work_dirs/r18_pretrain/epoch_200.pth --to onnx --out r18_onnx --int8
    python tools/export_student.py student.safetensors --to timm torchvision --out r18
"""

import argparse

from lgd_mm.console.progress import LOADING, begin
from lgd_mm.errors import UserError, reported
from lgd_mm.exports.targets import TARGETS
from lgd_mm.io.inputs import check_weights_file


def main() -> None:
    """Export, and print the files."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('checkpoint', help='checkpoint of the pre-training, or with --to an exported student')
    parser.add_argument('file', nargs='?', help='file to write, with or without suffix (without --to)')
    parser.add_argument('--to', nargs='+', metavar='TARGET', help=', '.join(TARGETS))
    parser.add_argument('--out', help='folder to write; several targets get a folder in it each')
    parser.add_argument('--int8', action='store_true', help='write the ONNX graph with weights of 8 bits, too')
    parser.add_argument('--categories', help='names for zero-shot classification (default: those of the pre-training)')
    args = parser.parse_args()
    if bool(args.to) != bool(args.out) or bool(args.to) == bool(args.file):
        raise UserError('give either FILE to write the backbone, or --to TARGET and --out FOLDER')
    check_weights_file(args.checkpoint)
    if args.to:
        from lgd_mm.exports import export_student
        targets = args.to[0] if len(args.to) == 1 else args.to
        begin(LOADING)
        reports = export_student(args.checkpoint, targets, args.out, int8=args.int8, categories=args.categories)
        print(*(reports if isinstance(reports, list) else [reports]), sep='\n\n')
        return
    if args.int8 or args.categories:
        raise UserError('--int8 and --categories are for --to onnx')
    begin(LOADING)
    from lgd_mm.students import export_checkpoint
    for path in export_checkpoint(args.checkpoint, args.file):
        print(path)


if __name__ == '__main__':
    with reported():
        main()
