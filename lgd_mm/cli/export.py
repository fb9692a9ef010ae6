"""``lgd-mm export``: a student or a fine-tuned network for another library."""

from typing import Any

import click

from lgd_mm.api.beginnings import check_student
from lgd_mm.console.progress import LOADING, begin
from lgd_mm.console.rank_zero import print_rank0


@click.command()
@click.argument('network')
@click.option('--to', 'targets', required=True, multiple=True, metavar='TARGET', help='Where it is to be '
              'loaded, such as onnx, timm or torchvision; several, each with --to, get a folder in --out each.')
@click.option('--out', required=True, metavar='FOLDER', help='What is written.')
@click.option('--int8', is_flag=True, help='Write it with 8 bits, too (onnx).')
@click.option('--calibrate', metavar='IMAGES', help='Of a fine-tuned network, images that the ranges of --int8 are '
              'measured on.  [default: its training set]')
@click.option('--size', nargs=2, type=int, metavar='HEIGHT WIDTH', help='Of a fine-tuned network, of all images.  '
              '[default: any]')
@click.option('--raw', is_flag=True, help='Of a fine-tuned network, without threshold, non-maximum suppression and '
              'scaling.')
@click.option('--check-images', metavar='IMAGES', help='Of a fine-tuned network, images to compare on.  [default: '
              'of its test set]')
@click.option('--backbone-only', is_flag=True, help='Of a fine-tuned network, the backbone alone.')
def export(network: str, targets: tuple[str, ...], out: str, **options: Any) -> None:
    """Bring NETWORK into the form of another library; what is written is run there and compared.

    NETWORK is a student: the folder of a pre-training or a file. Or it is fine-tuned, the folder or a checkpoint: onnx,
    openvino and litert take all of it, the other targets its backbone. A student of vision and language goes to onnx
    and safetensors.

    \b
    Examples:
      lgd-mm export run --to onnx --out onnx
      lgd-mm export run/student.safetensors --to timm --to mmdet --out exports
      lgd-mm export detector --to onnx --out detector_onnx
      lgd-mm export detector --to onnx --out detector_int8 --int8 --calibrate photos
    """
    from lgd_mm.api.exporting import check_export
    check_student(network)
    target = targets[0] if len(targets) == 1 else targets
    check_export(target, out, options)
    begin(LOADING)
    from lgd_mm import api
    for report in api.export(network, target, out, **options):
        print_rank0(str(report))
