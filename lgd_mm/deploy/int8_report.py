"""What eight bits change: the accuracy before and after, or where no labels are the agreement."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from lgd_mm.deploy.accuracy import accuracy
from lgd_mm.deploy.check import threshold
from lgd_mm.deploy.compare import Agreement
from lgd_mm.deploy.predict import Network, upright
from lgd_mm.deploy.source import FineTuned
from lgd_mm.errors import UserError

#: Measures that are told, of those that evaluators give.
TOLD = ('coco/bbox_mAP', 'coco/segm_mAP', 'lvis/bbox_AP', 'lvis/segm_AP', 'mIoU', 'accuracy/top1')
#: Part of the accuracy that is left at least.
LEAST = 0.5


def change(network: FineTuned, folder: Path, graph: str, small: str, files: Sequence[Path]) -> str:
    """Compare a graph with the one in eight bits.

    Args:
        network (FineTuned): With its config.
        folder (Path): Of the export.
        graph (str): Name of the graph in it.
        small (str): Name of the one in eight bits.
        files (Sequence[Path]): Images to compare on, where the test set is not there.

    Returns:
        str: One sentence.

    Raises:
        UserError: If less than half of the accuracy is left.
    """
    before = accuracy(network, folder, graph)
    after = accuracy(network, folder, small) if before else None
    sizes = [(folder / name).stat().st_size / 1e6 for name in (small, graph)]
    size = f'{small}: {sizes[0]:.1f} MB instead of {sizes[1]:.1f}'
    if before and after:
        check_left(before, after)
        figures = [f'{key} {float(before[key]):.4g} before and {float(after[key]):.4g} after'
                   for key in TOLD if key in before]
        return f'{size}; on the test set {", ".join(figures)}.'
    own, other, found = Network(str(folder), graph), Network(str(folder), small), Agreement()
    for file in files:
        pixels = upright(str(file))
        found.add(file.name, own(str(file)), other(str(file)), max(pixels.shape[:2]), threshold(network))
    told = Agreement(**{**vars(found), 'odd': [], 'on_the_edge': 0})
    alone = f', {len(found.odd) + found.on_the_edge} boxes that only one has' if found.boxes else ''
    return f'{size}; no test set is there to tell its accuracy; beside the float32 graph, {told}{alone}.'


def check_left(before: Mapping[str, float], after: Mapping[str, float]) -> None:
    """See that enough of each accuracy is left.

    Raises:
        UserError: If not.
    """
    for key in TOLD:
        if key in before and not float(after[key]) >= LEAST * float(before[key]):
            raise UserError(f'int8 changes this network too much ({key} {float(before[key]):.4g} before and '
                            f'{float(after[key]):.4g} after): leave int8 out, or give other images to --calibrate')
