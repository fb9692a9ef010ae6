"""What a command of predictions leaves, once all images are done."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lgd_mm.errors import DataError
from lgd_mm.prediction.files import write_classes, write_images, write_results, write_table
from lgd_mm.prediction.found import names_found
from lgd_mm.prediction.ids import Ids
from lgd_mm.prediction.journal import Journal
from lgd_mm.prediction.network import Network
from lgd_mm.prediction.page import Shown, write_pages
from lgd_mm.prediction.reading import frame_name
from lgd_mm.prediction.sources import Sources
from lgd_mm.prediction.videos import frames_per_second, write_video

#: Folders of drawings and of masks, and the drawn video among its frames.
DRAWN, MASK_FILES, DRAWN_VIDEO = 'drawn', 'masks', 'drawn.mp4'


@dataclass(frozen=True)
class Outcome:
    """Predictions in a folder.

    Attributes:
        out (Path): The folder.
        task (str): Of the network.
        images (int): Images and frames that were predicted.
        left_out (list[str]): What could not be read, and why.
        file (Path): Of the predictions; for segmentation, the folder of masks.
        page (Path, optional): That shows the drawings.
    """

    out: Path
    task: str
    images: int
    left_out: list[str]
    file: Path
    page: Path | None

    @classmethod
    def of(cls, out: Path, network: Network, journal: Journal) -> 'Outcome':
        """Of a finished journal."""
        assert journal.done is not None
        files = dict(classification='predictions.csv', segmentation=MASK_FILES)
        page = out / 'index.html'
        return cls(out, network.task, journal.done['images'], journal.done['left_out'],
                   out / files.get(network.task, 'predictions.json'), page if page.is_file() else None)


def finish(network: Network, sources: Sources, score: float, drawing: bool, every: int, ids: Ids, journal: Journal
           ) -> None:
    """Make the files of what the journal holds.

    Args:
        network (Network): Its task and classes.
        sources (Sources): Where names begin.
        score (float): Of the objects that the page tells of, at least.
        drawing (bool): Whether there is a page.
        every (int): Frames of a video from one to the next.
        ids (Ids): Of images and categories.
        journal (Journal): Finished at the end.

    Raises:
        DataError: If none of the images could be read: nothing is left then.
    """
    out = journal.folder
    left_out = [f'{sources.path(item["name"])}: {item["unreadable"]}' for item in _items(journal)
                if 'unreadable' in item]
    count = sum('found' in item for item in _items(journal))
    if not count:
        journal.forget()
        raise DataError(f'none of {len(sources.images)} images and {len(sources.videos)} videos can be read: '
                        f'{left_out[0]}')
    categories = [dict(id=number, name=name) for number, name in zip(ids.categories, network.classes)]
    write_images(out, (_image(number, item) for number, item in _numbered(journal, ids)), categories)
    if network.task == 'classification':
        write_table(out, (item for _, item in _numbered(journal, ids)), sources.root, network.classes)
    elif network.task == 'segmentation':
        write_classes(out, network.classes)
    else:
        write_results(out, _numbered(journal, ids), ids)
    if drawing:
        _write_drawn_videos(out, sources, every, journal)
        title = f'{network.task} of {count} images'.replace('-', ' ').capitalize()
        write_pages(out, title, count, _shown(network, sources, score, journal))
    journal.finish(dict(images=count, left_out=left_out))


def _items(journal: Journal) -> Iterator[dict[str, Any]]:
    for entry in journal.entries():
        yield from entry['items']


def _numbered(journal: Journal, ids: Ids) -> Iterator[tuple[int, dict[str, Any]]]:
    """Images that could be read, with their ids."""
    for number, item in enumerate(_items(journal), 1):
        if 'found' in item:
            yield number if ids.images is None else ids.images[item['name']], item


def _image(number: int, item: dict[str, Any]) -> dict[str, Any]:
    """Of COCO's list of images; a frame tells its place as well."""
    place: dict[str, Any] = {key: item[key] for key in ('video', 'frame', 'seconds') if key in item}
    return dict(id=number, file_name=item['name'], width=item['size'][0], height=item['size'][1], **place)


def _write_drawn_videos(out: Path, sources: Sources, every: int, journal: Journal) -> None:
    """Put the drawn frames of each video together."""
    frames: dict[str, list[Path]] = {video: [] for video in sources.videos}
    for item in _items(journal):
        if 'found' in item and item.get('video') in frames:
            frames[item['video']].append(out / DRAWN / f'{frame_name(item["video"], item["frame"])}.jpg')
    for video, files in frames.items():
        if files:
            part = out / '.part.mp4'
            part.unlink(missing_ok=True)  # of a process that was killed, or a link of somebody else
            write_video(part, files, frames_per_second(sources.path(video)) / every)
            os.replace(part, out / DRAWN / video / DRAWN_VIDEO)


def _shown(network: Network, sources: Sources, score: float, journal: Journal) -> Iterator[Shown]:
    stems = sources.stems()
    for item in _items(journal):
        if 'found' in item:
            names = names_found(network.task, network.classes, item['found'], item['size'], score)
            title = f'{item["video"]}, {item["seconds"]:.2f} s' if 'video' in item else item['name']
            file = f'{DRAWN}/{stems.get(item["name"], item["name"])}.jpg'
            yield Shown(title, file, names, f'{DRAWN}/{item["video"]}/{DRAWN_VIDEO}' if 'video' in item else None,
                        *item['size'])
