"""Images and frames, read as a network's own test pipeline reads them."""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from mmengine.dataset import Compose
from mmengine.fileio import get
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset, IterableDataset, get_worker_info

from lgd_mm.console.words import first_line
from lgd_mm.datasets.loading import decode, of_the_machine
from lgd_mm.prediction.network import Network, scope_of
from lgd_mm.prediction.videos import UnreadableVideo, frames

#: Settings of a first step that leave an image as :func:`lgd_mm.datasets.loading.decode` gives it.
PLAIN = ('type', 'backend_args', 'file_client_args', 'ignore_empty', 'to_float32')


class UnfitImage(Exception):
    """An image that a network's pipeline cannot prepare; the message says why."""


class Unreadable(NamedTuple):
    """What cannot be predicted.

    Attributes:
        name (str): Of the image or video.
        reason (str): In words.
    """

    name: str
    reason: str


class Read(NamedTuple):
    """An image or frame.

    Attributes:
        name (str): Its own.
        size (tuple[int, int]): Width and height, in pixels.
        pixels (Tensor, optional): As it is (H, W, 3), BGR, uint8, turned upright; None if nobody draws on it.
        item (dict[str, Any]): What the pipeline made of it.
        place (dict[str, Any]): Of a frame, ``video``, ``frame`` (from 0) and ``seconds``.
    """

    name: str
    size: tuple[int, int]
    pixels: Tensor | None
    item: dict[str, Any]
    place: dict[str, Any]


class Reader:
    """Makes of an image what a network takes.

    Args:
        network (Network): The network.
        drawing (bool): Keep the pixels, to draw on.
    """

    def __init__(self, network: Network, drawing: bool) -> None:
        first, *others = network.pipeline
        self.to_float = bool(first.get('to_float32'))
        with scope_of(network):
            # An image is decoded once, unless the network wants it in another way than most.
            self.load = None if set(first) <= set(PLAIN) else Compose([first])
            self.steps = Compose(others)
        self.drawing = drawing

    def __call__(self, name: str, image: NDArray[np.uint8], path: str | None = None,
                 place: dict[str, Any] | None = None) -> Read:
        """Read an image.

        Args:
            name (str): Its own.
            image (np.ndarray): BGR (H, W, 3), uint8.
            path (str, optional): Its file. Defaults to None: it is a frame.
            place (dict[str, Any], optional): Of a frame. Defaults to None.

        Raises:
            UnfitImage: If the pipeline cannot prepare it.
        """
        height, width = image.shape[:2]
        try:
            item = self._prepared(name, image, path)
        except Exception as error:  # whatever sizes that nobody thought of make a pipeline stumble over
            if of_the_machine(error):
                raise
            raise UnfitImage(f'the pipeline of the network cannot prepare its {width} x {height} pixels: '
                             f'{first_line(error)}') from error
        return Read(name, (width, height), torch.from_numpy(image.copy()) if self.drawing else None, item, place or {})

    def _prepared(self, name: str, image: NDArray[np.uint8], path: str | None) -> dict[str, Any]:
        results: dict[str, Any] = dict(img_path=path or name, img_id=0, sample_idx=0, seg_fields=[])
        if self.load is not None and path is not None:
            results = self.load(results)
        else:
            pixels = image.astype(np.float32) if self.to_float else image
            results |= dict(img=pixels, img_shape=image.shape[:2], ori_shape=image.shape[:2])
        item: dict[str, Any] = self.steps(results)
        return item


class Images(Dataset[Read | Unreadable]):
    """Image files.

    Args:
        names (Sequence[str]): Of the images.
        paths (Sequence[str]): Their files.
        reader (Reader): Reads them.
    """

    def __init__(self, names: Sequence[str], paths: Sequence[str], reader: Reader) -> None:
        self.names, self.paths, self.reader = names, paths, reader

    def __len__(self) -> int:
        return len(self.names)

    def __getitem__(self, index: int) -> Read | Unreadable:
        name, path = self.names[index], self.paths[index]
        try:
            return self.reader(name, decode(get(path)), path)
        except Exception as error:  # whatever a broken file makes decoders stumble over
            if of_the_machine(error):
                raise
            reason = str(error).partition(' <')[0]  # Pillow names the bytes by their address, another one each time
            return Unreadable(name, getattr(error, 'strerror', None) or reason or type(error).__name__)


class Frames(IterableDataset[Read | Unreadable]):
    """Frames of a video; one that is broken ends with :class:`Unreadable`. At most one worker reads it.

    Args:
        name (str): Of the video.
        path (str): Its file.
        every (int): Frames from one to the next.
        start (int): The first one.
        reader (Reader): Reads them.
    """

    def __init__(self, name: str, path: str, every: int, start: int, reader: Reader) -> None:
        self.name, self.path, self.every, self.start, self.reader = name, path, every, start, reader

    def __iter__(self) -> Iterator[Read | Unreadable]:
        worker = get_worker_info()
        assert worker is None or worker.num_workers == 1
        try:
            for frame in frames(self.path, self.every, self.start):
                place = dict(video=self.name, frame=frame.number, seconds=frame.seconds)
                yield self.reader(frame_name(self.name, frame.number), frame.image, place=place)
        except (UnfitImage, UnreadableVideo) as error:
            yield Unreadable(self.name, str(error))


def frame_name(video: str, number: int) -> str:
    """The name of a frame.

    Args:
        video (str): The video's name.
        number (int): Of the frame, from 0.
    """
    return f'{video}/{number:06}'
