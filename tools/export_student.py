"""Write the bare backbone of a checkpoint as OUT.safetensors and OUT.pth, with its metadata."""

import argparse

from lgd_mm.errors import reported


def main() -> None:
    """Export, and print the files."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('checkpoint', help='checkpoint of the pre-training')
    parser.add_argument('out', help='file to write, with or without suffix')
    args = parser.parse_args()
    from lgd_mm.transfer import export_checkpoint
    for path in export_checkpoint(args.checkpoint, args.out):
        print(path)


if __name__ == '__main__':
    with reported():
        main()
