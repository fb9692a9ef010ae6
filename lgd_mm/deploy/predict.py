"""What a fine-tuned network of lgd_mm says of images: numpy, Pillow and the runtime of the graph are all it needs.

    python predict.py image.jpg

An image is prepared as it was while the network was trained and tested, to the last bit: its size is changed as OpenCV
does it, by numpy. Boxes, masks and labels are those of the original image, in its pixels.
"""

import json
import os
import sys
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

#: Of the weights that OpenCV blends neighbours by.
STEPS = 2048
#: As Pillow calls its filters.
FILTERS = {'bilinear': Image.Resampling.BILINEAR, 'bicubic': Image.Resampling.BICUBIC,
           'nearest': Image.Resampling.NEAREST, 'lanczos': Image.Resampling.LANCZOS}
#: Where a grey image is transparent.
GROUND = 124, 117, 104


class Network:
    """A graph, and what lies beside it.

    Args:
        folder (str): Folder of an export. Defaults to that of this file.
        graph (str): Name of the graph in it. Defaults to None: that which ``network.json`` names.
        threads (int): Of the CPU. Defaults to 0: as many as the runtime takes.
    """

    def __init__(self, folder: str = os.path.dirname(os.path.abspath(__file__)), graph: str | None = None,
                 threads: int = 0) -> None:
        with open(os.path.join(folder, 'network.json'), encoding='utf-8') as file:
            self.about = json.load(file)
        self.names = self.about['classes']
        self.run = opened(os.path.join(folder, graph or self.about['graph']), threads)

    def __call__(self, image: str | Image.Image) -> dict[str, Any]:
        """Predict.

        Args:
            image (str | Image.Image): An image or its file.

        Returns:
            dict: Of a detector ``boxes`` (N, 4), corners ``x1, y1, x2, y2`` in pixels of the image, ``scores`` (N, ),
            ``labels`` (N, ), places among ``names``, and where it has them ``masks`` (N, height, width), bool; of a
            segmentation network ``labels`` (height, width); of a classifier ``scores`` (C, ). Raw outputs are as they
            come.
        """
        pixels = upright(image)
        found = self.run(self.inputs(pixels))
        return self.finished(found, (pixels.shape[0], pixels.shape[1]))

    def inputs(self, pixels: NDArray[Any]) -> dict[str, NDArray[Any]]:
        """What the graph takes, of RGB (height, width, 3), uint8."""
        ready, scale = prepared(pixels, self.about['steps'])
        size = np.array(ready.shape[:2])
        if self.about['size']:
            ready = letterboxed(ready, self.about['size'])
        images = ready.astype(np.float32).transpose(2, 0, 1)[None] / np.float32(255)
        return {'images': images, 'image_size': size, 'original_size': (size / scale).astype(np.float32)}

    def finished(self, found: dict[str, NDArray[Any]], size: tuple[int, int]) -> dict[str, NDArray[Any]]:
        """What the graph gave, of the original image of (height, width)."""
        if 'masks' in found and found['masks'].ndim == 3 and self.about['paste_masks']:
            whole = [pasted(mask, box, size) >= self.about['mask_threshold']
                     for mask, box in zip(found['masks'], found['boxes'])]
            found['masks'] = np.array(whole, bool).reshape(-1, *size)
        if self.about['one_image'] or len(next(iter(found.values()))) != 1:
            return found
        return {name: value[0] for name, value in found.items()}


def opened(file: str, threads: int = 0) -> Any:
    """A function from the inputs of a graph to its outputs, each a dict of arrays."""
    if file.endswith('.xml'):
        import openvino
        settings = {'INFERENCE_PRECISION_HINT': 'f32', **({'INFERENCE_NUM_THREADS': threads} if threads else {})}
        model = openvino.Core().compile_model(file, 'CPU', settings)
        takes = [port.get_any_name() for port in model.inputs]
        return lambda inputs: {port.get_any_name(): value for port, value in
                               model({name: inputs[name] for name in takes}).items()}
    if file.endswith('.tflite'):
        from ai_edge_litert.interpreter import Interpreter
        runner = Interpreter(file, num_threads=threads or None).get_signature_runner()
        takes = list(runner.get_input_details())
        return lambda inputs: runner(**{name: inputs[name] for name in takes})
    import onnxruntime
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(file, options, providers=['CPUExecutionProvider'])
    takes = [each.name for each in session.get_inputs()]
    gives = [each.name for each in session.get_outputs()]
    return lambda inputs: dict(zip(gives, session.run(None, {name: inputs[name] for name in takes})))


def upright(image: str | Image.Image) -> NDArray[Any]:
    """RGB (height, width, 3), uint8, turned as the camera says."""
    if not isinstance(image, Image.Image):
        with Image.open(image) as file:
            return upright(ImageOps.exif_transpose(file))
    if image.mode.startswith('I;16'):  # Pillow would make white of all above 255
        return np.repeat((np.asarray(image) >> 8).astype(np.uint8)[..., None], 3, axis=2)
    if image.mode == 'LA':  # as mmcv does, which lays no other transparent image on a ground
        ground = Image.new('RGBA', image.size, GROUND)
        image = Image.composite(image.convert('RGBA'), ground, image.getchannel('A'))
    return np.asarray(image.convert('RGB'))


def prepared(pixels: NDArray[Any], steps: list[dict[str, Any]]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Pixels (height, width, 3) after the steps of the test pipeline, and what they were scaled by, down and across."""
    scale: NDArray[Any] = np.ones(2)
    for step in steps:
        height, width = pixels.shape[:2]
        if step['do'] == 'crop':
            rows, columns = step['size']
            top, left = (max(0, round((side - own) / 2)) for side, own in ((height, rows), (width, columns)))
            pixels = pixels[top:top + rows, left:left + columns]
        elif step['do'] == 'pad':
            rows, columns = (max(side, own) for side, own in zip(pixels.shape, step['size']))
            padded = np.empty((rows, columns, 3), np.uint8)
            padded[:] = step['value']
            padded[:height, :width] = pixels
            pixels = padded
        else:
            new_height, new_width = new_size(height, width, step)
            if step['with'] == 'opencv':
                pixels = resized(pixels, new_height, new_width)
            else:
                image = Image.fromarray(pixels).resize((new_width, new_height), FILTERS[step['filter']])
                pixels = np.asarray(image)
            scale = scale * (new_height / height, new_width / width)
    return pixels, scale


def new_size(height: int, width: int, step: dict[str, Any]) -> tuple[int, int]:
    """Height and width that a step changes those of an image to."""
    rows, columns = step['size']
    if step['do'] == 'stretch':
        return rows, columns
    if step['do'] == 'edge':  # one side becomes that long
        by_width = {'short': width < height, 'long': width > height, 'width': True, 'height': False}[step['edge']]
        if by_width:
            return int(rows * height / width), rows
        return rows, int(rows * width / height)
    if step['do'] == 'within':  # this height and width
        factor = min(rows / height, columns / width)
    else:  # 'fit': the long and the short side
        factor = min(max(rows, columns) / max(height, width), min(rows, columns) / min(height, width))
    return int(height * factor + 0.5), int(width * factor + 0.5)


def resized(pixels: NDArray[Any], height: int, width: int) -> NDArray[Any]:
    """Bytes of another size, as of ``cv2.resize(..., interpolation=cv2.INTER_LINEAR)``."""
    if pixels.shape[:2] == (height, width):
        return pixels
    upper, lower, above, below = neighbours(pixels.shape[0], height, clip=False)
    left, right, before, behind = neighbours(pixels.shape[1], width, clip=True)
    wide = pixels.astype(np.int32)
    wide = (wide[:, left] * before[:, None] + wide[:, right] * behind[:, None]) >> 4
    blended = ((above[:, None, None] * wide[upper]) >> 16) + ((below[:, None, None] * wide[lower]) >> 16)
    return ((blended + 2) >> 2).astype(np.uint8)


def neighbours(side: int, new: int, clip: bool) -> tuple[NDArray[Any], ...]:
    """Of each new position the two old ones around it, and their weights."""
    at = ((np.arange(new) + 0.5) * (side / new) - 0.5).astype(np.float32)
    first = np.floor(at).astype(np.int64)
    part = at - first.astype(np.float32)
    if clip:
        part[(first < 0) | (first >= side - 1)] = 0
    weights = (np.rint(share * np.float32(STEPS)).astype(np.int32) for share in (1 - part, part))
    return np.clip(first, 0, side - 1), np.clip(first + 1, 0, side - 1), *weights


def letterboxed(pixels: NDArray[Any], size: list[int]) -> NDArray[Any]:
    """Pixels in the upper left corner of a larger image."""
    height, width = pixels.shape[:2]
    if height > size[0] or width > size[1]:
        raise ValueError(f'an image of {height} x {width} pixels is larger than the graph, {size[0]} x {size[1]}')
    return np.pad(pixels, ((0, size[0] - height), (0, size[1] - width), (0, 0)))


def pasted(mask: NDArray[Any], box: NDArray[Any], size: tuple[int, int]) -> NDArray[Any]:
    """The probabilities within a box (rows, columns) where they lie in an image of (height, width)."""
    whole = np.zeros(size, np.float32)
    left, top, right, bottom = box
    spans = []
    for begin, end, side, cells in ((top, bottom, size[0], mask.shape[0]), (left, right, size[1], mask.shape[1])):
        first, last = max(int(np.floor(begin)) - 1, 0), min(int(np.ceil(end)) + 1, side)
        spans.append((slice(first, last), blend(begin, end, np.arange(first, last, dtype=np.float32), cells)))
    (rows, down), (columns, across) = spans
    whole[rows, columns] = down @ mask @ across.T
    return whole


def blend(begin: np.float32, end: np.float32, at: NDArray[Any], cells: int) -> NDArray[Any]:
    """How much each of some cells between begin and end counts at each pixel (pixels, cells)."""
    with np.errstate(divide='ignore', invalid='ignore'):
        place: NDArray[Any] = ((at + np.float32(0.5) - begin) / (end - begin) * 2 - 1).astype(np.float32)
    place = np.where(np.isinf(place), np.float32(0), place)
    place = ((place + 1) * cells - 1) / 2
    return np.maximum(0, 1 - np.abs(place[:, None] - np.arange(cells, dtype=np.float32))).astype(np.float32)


def main() -> None:
    """Print what is in the images that are named."""
    network = Network()
    for file in sys.argv[1:]:
        try:
            found = network(file)
        except OSError as error:  # Pillow's own, too
            sys.exit(f'{file} cannot be read ({error.strerror or error})')
        if 'boxes' in found and 'labels' in found:
            for box, score, label in zip(found['boxes'], found['scores'], found['labels']):
                corners = ' '.join(f'{value:.1f}' for value in box)
                print(f'{file}: {network.names[label]} {score:.1%} {corners}')
        elif 'labels' in found:
            for label, count in zip(*np.unique(found['labels'], return_counts=True)):
                print(f'{file}: {network.names[label]} {count / found["labels"].size:.1%} of the pixels')
        elif 'boxes' not in found and 'scores' in found:
            for label in found['scores'].argsort()[::-1][:5]:
                print(f'{file}: {network.names[label]} {found["scores"][label]:.1%}')
        else:
            print(file, {name: value.shape for name, value in found.items()})


if __name__ == '__main__':
    main()
