"""Frames of a video, and a video of drawn frames: by OpenCV, and so by FFmpeg."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from lgd_mm.io.files import open_plain
from lgd_mm.io.images import PIXELS

# What FFmpeg finds odd in a broken file is told in one line, of the file's name. It is read when the first is opened.
os.environ.setdefault('OPENCV_FFMPEG_LOGLEVEL', '-8')

#: Places and bytes by which the formats are known; FFmpeg by itself would follow a list of addresses in any file.
MARKS = ((4, (b'ftyp', b'moov', b'mdat', b'free', b'skip', b'wide', b'pnot')), (0, (b'RIFF', b'\x1a\x45\xdf\xa3')))
#: Share of the frames that a video promises, and frames, that may lack: some formats tell their length alone.
LACKING, FEW = 0.02, 2
#: Where an open file or folder has a name that is text.
DESCRIPTORS = '/proc/self/fd'


class UnreadableVideo(Exception):
    """A file that is no whole video; the message says why."""


class Frame(NamedTuple):
    """One frame.

    Attributes:
        number (int): In the video, from 0.
        seconds (float): Its time in the video.
        image (np.ndarray): BGR (H, W, 3), uint8, turned upright.
    """

    number: int
    seconds: float
    image: NDArray[np.uint8]


def frames(path: str, every: int = 1, start: int = 0) -> Iterator[Frame]:
    """Every n-th frame of a video.

    Args:
        path (str): The file.
        every (int): Frames from one to the next. Defaults to 1.
        start (int): The first one, a multiple of ``every``. Defaults to 0.

    Yields:
        Frame: Each.

    Raises:
        UnreadableVideo: If it cannot be opened, or ends before its end.
    """
    video = _opened(path)
    try:
        number = 0
        while video.grab():
            if number >= start and number % every == 0:
                seconds = round(video.get(cv2.CAP_PROP_POS_MSEC) / 1000, 3)
                found, image = video.retrieve()
                if not found:
                    break
                yield Frame(number, seconds, np.asarray(image, np.uint8))
            number += 1
        promised = int(video.get(cv2.CAP_PROP_FRAME_COUNT))
        if not number:
            raise UnreadableVideo('it has no frame that can be decoded')
        if promised - number > max(FEW, LACKING * promised):
            raise UnreadableVideo(f'it ends after {number} of {promised} frames')
    finally:
        video.release()


def frame_count(path: str) -> int:
    """The frames that a video promises; 0 if it promises none.

    Raises:
        UnreadableVideo: If it cannot be opened.
    """
    return max(0, int(_property(path, cv2.CAP_PROP_FRAME_COUNT)))


def frames_per_second(path: str) -> float:
    """Those of a video; 25 if it does not say.

    Raises:
        UnreadableVideo: If it cannot be opened.
    """
    rate = _property(path, cv2.CAP_PROP_FPS)
    return rate if 0 < rate < 1000 else 25.


def _property(path: str, which: int) -> float:
    video = _opened(path)
    try:
        return float(video.get(which))
    finally:
        video.release()


def write_video(file: Path, images: Sequence[Path], rate: float) -> None:
    """Write a video of images.

    Args:
        file (Path): MPEG-4 (``.mp4``).
        images (Sequence[Path]): Of one size, at least one; those of another are made like the first.
        rate (float): Frames of a second.

    Raises:
        OSError: If it cannot be written.
    """
    height, width = _read(images[0]).shape[:2]
    folder = os.open(file.parent, os.O_RDONLY)
    try:
        name = str(file) if _is_text(str(file)) else f'{DESCRIPTORS}/{folder}/{file.name}'
        video = cv2.VideoWriter(name, cv2.VideoWriter.fourcc(*'mp4v'), rate, (width, height))
    finally:
        os.close(folder)
    try:
        if not video.isOpened():
            raise OSError(0, 'OpenCV cannot write a video of that size')
        for image in map(_read, images):
            video.write(image if image.shape[:2] == (height, width) else cv2.resize(image, (width, height)))
    finally:
        video.release()


def _read(path: Path) -> NDArray[np.uint8]:
    image = cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_COLOR)
    if image is None:
        raise OSError(0, f'{path} is no image any more')
    return np.asarray(image, np.uint8)


def _is_text(path: str) -> bool:
    """Whether OpenCV takes the name of a file; the process would end with bytes that are no text."""
    try:
        return bool(path.encode())
    except UnicodeEncodeError:
        return False


def _opened(path: str) -> Any:
    try:
        with open_plain(path) as file:
            head = file.read(16)
            if not any(head[place:].startswith(marks) for place, marks in MARKS):
                raise UnreadableVideo('it is no video in MPEG-4, AVI, Matroska or WebM')
            level = cv2.utils.logging.getLogLevel()
            cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_ERROR)  # it would warn of what is told here
            try:
                video = cv2.VideoCapture(path if _is_text(path) else f'{DESCRIPTORS}/{file.fileno()}', cv2.CAP_FFMPEG)
            finally:
                cv2.utils.logging.setLogLevel(level)
    except OSError as error:
        raise UnreadableVideo(error.strerror or str(error)) from error
    if not video.isOpened():
        raise UnreadableVideo('it is damaged, or in a format that OpenCV does not know')
    if video.get(cv2.CAP_PROP_FRAME_WIDTH) * video.get(cv2.CAP_PROP_FRAME_HEIGHT) > PIXELS:
        raise UnreadableVideo(f'its frames have more than {PIXELS:,} pixels')
    return video
