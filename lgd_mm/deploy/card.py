"""README.md of a whole network's export."""

from collections.abc import Mapping, Sequence
from importlib.resources import files
from pathlib import Path

from jinja2 import Environment, StrictUndefined

from lgd_mm.costs.report import Cost, Timing
from lgd_mm.costs.table import busy_sentence, format_latency, ran_by
from lgd_mm.deploy.compare import CORNER, PIXELS, SCORE, Agreement
from lgd_mm.deploy.graph import Graph
from lgd_mm.deploy.source import FineTuned
from lgd_mm.exports.card import told
from lgd_mm.runs.environment import environment
from lgd_mm.students.backbone import describe

USAGE = """from predict import Network
network = Network()
found = network('image.jpg')
print({shown})"""
#: Classes that are listed.
SHOWN = 100
#: Task -> its name, and what is shown of a prediction.
TASKS = dict(mmdet=('Detection', "[network.names[each] for each in found['labels']], found['boxes'], found['scores']"),
             mmseg=('Segmentation', "found['labels'].shape, {network.names[label] for label in found['labels'].flat}"),
             mmpretrain=('Classification', "network.names[found['scores'].argmax()]"))
RUNTIMES = dict(onnx='onnxruntime', openvino='openvino', litert='ai-edge-litert')


def usage(network: FineTuned, raw: bool) -> str:
    """Code that predicts, to be run in the folder."""
    return USAGE.format(shown='{name: value.shape for name, value in found.items()}' if raw
                        else TASKS[network.cfg.default_scope][1])


def outputs_of(graph: Graph, raw: bool) -> list[tuple[str, str, str]]:
    """Name, shape and meaning of what a graph gives."""
    batch = '' if graph.one_image else 'B, '
    if raw:
        known = dict(
            boxes=(f'({batch}A, {"C, " if graph.one_image else ""}4)', 'corners `x1, y1, x2, y2` in pixels of the '
                   'original image, of all anchors or proposals; boxes of a low score are to be dropped, then those '
                   'that overlap a better one of their class (non-maximum suppression)'),
            scores=(f'({batch}A, C)', 'of the classes, from 0 to 1'),
            logits=('(B, C, ...)', 'of the classes; a segmentation network\'s are to be scaled up bilinearly, and the '
                    'class of a pixel is the largest'))
    else:
        known = dict(
            boxes=('(N, 4)', 'corners `x1, y1, x2, y2` in pixels of the original image, the best first'),
            scores=('(N)' if graph.one_image else '(B, C)', 'from 0 to 1'),
            labels=('(N), int64', 'places among the classes') if graph.one_image
            else ('(B, height, width), int64', 'the class of each pixel of the original image'),
            masks=('(N, h, w)', 'probabilities within the box, which `predict.py` puts into the image')
            if graph.pastes_masks else ('(N, height, width), bool', 'of the original image'))
    return [(name, *known[name]) for name in graph.outputs]


def card(network: FineTuned, target: str, graph: Graph, raw: bool, library: str, compared: str, agreement: Agreement,
         notes: Sequence[str], timings: Sequence[Timing], sizes: Mapping[str, int]) -> str:
    """Write the card; nothing is said that was not measured.

    Args:
        network (FineTuned): The network.
        target (str): Where it was exported to.
        graph (Graph): Its graph.
        raw (bool): Whether it is without post-processing.
        library (str): What ran it.
        compared (str): On which images.
        agreement (Agreement): With what outcome.
        notes (Sequence[str]): What else is to be known.
        timings (Sequence[Timing]): Of one image.
        sizes (Mapping[str, int]): Bytes of the files that are needed to predict.

    Returns:
        str: Markdown.
    """
    environment_of_card = Environment(  # nosec B701  # the card is Markdown, not a page
        undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True)
    environment_of_card.filters['told'] = told
    template = environment_of_card.from_string(files(__package__).joinpath('card.md.jinja').read_text('utf-8'))
    machine = environment()['machine']
    more = f' and {len(network.classes) - SHOWN} more' if len(network.classes) > SHOWN else ''
    cost = Cost('', '', 0, 1, 0, 0, list(timings))
    return template.render(
        kind=type(network.model).__name__, backbone=describe(network.cfg.model.backbone.to_dict()),
        task=TASKS[network.cfg.default_scope][0], classes=network.classes,
        names=', '.join(map(told, network.classes[:SHOWN])) + more, target=target, usage=usage(network, raw),
        runtime=RUNTIMES[target], notes=notes, parameters=sum(each.numel() for each in network.model.parameters()),
        sizes=sizes, timings=timings, ran_by=ran_by, format_latency=format_latency, busy=busy_sentence(cost),
        machine=f'{machine["processor"]}, {machine["date"]}', one_image=graph.one_image,
        size=graph.size, outputs=outputs_of(graph, raw), library=library, compared=compared,
        agreement=str(agreement).capitalize(), score=SCORE, corner=CORNER, pixels=PIXELS)


def sizes_of(folder: Path) -> dict[str, int]:
    """Bytes of the files of an export."""
    return {file.name: file.stat().st_size for file in sorted(folder.iterdir()) if file.suffix != '.py'}
