"""Frames of videos, by their colour, and videos that break off."""

import os
from pathlib import Path

import cv2
import numpy as np
import pytest

from lgd_mm.prediction.videos import UnreadableVideo, frame_count, frames, frames_per_second, write_video

FORMATS = [('mp4v', 'mp4'), ('mp4v', 'mov'), ('MJPG', 'avi'), ('mp4v', 'mkv'), ('VP80', 'webm')]


def write(path: Path, code: str, count: int = 30) -> Path:
    """Frame n is grey, of brightness 8 n."""
    video = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*code), 10, (64, 48))
    for index in range(count):
        video.write(np.full((48, 64, 3), 8 * index, np.uint8))
    video.release()
    return path


@pytest.mark.parametrize(('code', 'ending'), FORMATS)
def test_formats(code, ending, tmp_path):
    path = str(write(tmp_path / f'a.{ending}', code))
    found = list(frames(path, every=7, start=7))
    assert [frame.number for frame in found] == [7, 14, 21, 28]
    assert [frame.seconds for frame in found] == pytest.approx([.7, 1.4, 2.1, 2.8], abs=0.011)
    for frame in found:
        assert frame.image.shape == (48, 64, 3) and frame.image.mean() == pytest.approx(8 * frame.number, abs=5)
    assert (frame_count(path), frames_per_second(path)) == (30, pytest.approx(10))
    assert list(frames(path, every=10, start=30)) == []


@pytest.mark.parametrize(('code', 'ending'), [('MJPG', 'avi'), ('mp4v', 'mkv')])
def test_what_breaks_off_has_its_beginning(code, ending, tmp_path):
    path = write(tmp_path / f'a.{ending}', code)
    path.write_bytes(path.read_bytes()[:path.stat().st_size // 2])
    found = []
    with pytest.raises(UnreadableVideo, match=r'it ends after \d+ of 30 frames'):
        for frame in frames(str(path)):
            found.append(frame.number)
    assert found == list(range(len(found))) and 0 < len(found) < 25


def test_no_video(tmp_path, capfd):
    """Nothing is asked of FFmpeg, which follows lists of files and addresses; it tells nothing of its own."""
    (tmp_path / 'list.mp4').write_text('#EXTM3U\n#EXTINF:1,\nother.mp4\n')
    (tmp_path / 'half.mp4').write_bytes(write(tmp_path / 'a.mp4', 'mp4v').read_bytes()[:300])
    (tmp_path / 'empty.avi').touch()
    os.mkfifo(tmp_path / 'pipe.mp4')
    for name, said in (('list.mp4', 'it is no video'), ('half.mp4', 'it is damaged'), ('empty.avi', 'it is no video'),
                       ('pipe.mp4', 'it is a pipe'), ('gone.mp4', 'No such file')):
        with pytest.raises(UnreadableVideo, match=said):
            next(frames(str(tmp_path / name)))
    assert capfd.readouterr().err == ''


def test_drawn_frames_make_a_video(tmp_path):
    images = []
    for index in range(6):
        images.append(tmp_path / f'{index}.jpg')
        cv2.imwrite(str(images[-1]), np.full((40, 60 + index, 3), 40 * index, np.uint8))
    write_video(tmp_path / 'b.mp4', images, 2.5)
    found = list(frames(str(tmp_path / 'b.mp4')))
    assert [frame.seconds for frame in found] == pytest.approx([0, .4, .8, 1.2, 1.6, 2], abs=0.01)
    assert [frame.image.mean() for frame in found] == pytest.approx([0, 40, 80, 120, 160, 200], abs=6)
