"""Make what the vision-language suite starts from, in ``work_dirs/vl``: ``python tools/make_vl_world.py``.

Images of the generated world with captions and questions; the student's and the teacher's detector; and what each sees:
its own boxes, the teacher's features in the student's boxes, and cells of a grid, of a backbone that was taught and of
one that was not. Stopped at any moment, the same command goes on.
"""

import argparse
import os
import subprocess
import sys
from pathlib import Path

import torch

from lgd_mm.console import interrupts
from lgd_mm.console.rank_zero import print_rank0
from lgd_mm.datasets.shapes import write_language, write_world
from lgd_mm.engine.settings import load_config
from lgd_mm.errors import UserError, reported
from lgd_mm.registry import MODELS
from lgd_mm.runs.checkpoints import latest_checkpoint
from lgd_mm.students.file import student_metadata, write_student

ROOT = Path(__file__).resolve().parents[1]
FOLDER = Path('work_dirs/vl')
PRETRAINING = 'configs/shapes/lgd-dense_r18-slim_shapes.py'
#: Boxes of an image: scenes have up to four objects.
BOXES = 10
#: Rows and columns of the student's map of stride 16, which sees images at 64 x 64 pixels.
GRID = 4


def main() -> None:
    """Make what is missing."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--jobs', type=int, metavar='N', help='trainings at a time, on a machine without GPUs')
    jobs = parser.parse_args().jobs
    os.chdir(ROOT)  # where the configs are at home
    write_world(
        FOLDER / 'data', unlabelled=12000, zero_shot=800, labelled=8, detection=(1200, 300), segmentation=(1, 1))
    write_language(FOLDER / 'data')
    call('tools/benchmark.py', 'configs/shapes/vl_detectors.py', *(('--jobs', jobs) if jobs else ()))
    detectors = FOLDER / 'detectors'
    student, teacher = ((f'configs/shapes/mask-rcnn_r18-{kind}_fpn_vl.py', trained(detectors / who / 'seed0' / task))
                        for kind, who, task in (('slim', 'student', 'student-detector'),
                                                ('half', 'teacher', 'teacher-detector')))
    random = untaught(FOLDER / 'random')
    for split in ('train', 'val'):
        extract(*student, 'student', split, '--most', BOXES)
        extract(*teacher, 'teacher_own', split, '--most', BOXES)
        extract(*teacher, 'teacher_at_student', split, '--boxes', FOLDER / 'regions' / f'student_{split}')
        images = FOLDER / 'data' / 'coco' / f'{split}2017'
        for name, file in (('lgd', detectors / 'student/seed0/pre-training/student.safetensors'), ('random', random)):
            extract(PRETRAINING, file, f'grid_{name}', split, '--grid', GRID, '--images', images)


def extract(config: str, checkpoint: Path, name: str, split: str, *options: object) -> None:
    """One store of regions."""
    of_config = () if '--images' in options else ('--split', split)
    call('tools/extract_regions.py', config, checkpoint, '--out', FOLDER / 'regions' / f'{name}_{split}', *of_config,
         *options)


def trained(folder: Path) -> Path:
    """The checkpoint that a run has left."""
    checkpoint = latest_checkpoint(str(folder))
    if checkpoint is None:
        raise UserError(f'{folder} holds no checkpoint: delete {folder.parent}, and the same command trains it again')
    return checkpoint


def untaught(folder: Path) -> Path:
    """The student's backbone as it begins."""
    file = folder / 'student.safetensors'
    if not file.exists():
        config = load_config(PRETRAINING, {}, None, launcher='none')
        torch.manual_seed(0)
        backbone = MODELS.build(config.model.backbone)
        backbone.init_weights()
        write_student(backbone.state_dict(), student_metadata(config.to_dict(), 0, {}), folder / 'student')
    return file


def call(tool: str, *arguments: object) -> None:
    """Another tool, as a person would type it."""
    command = [tool, *map(str, arguments)]
    print_rank0(f'python {" ".join(command)}')
    status = subprocess.run([sys.executable, *command]).returncode
    if status == interrupts.STATUS:  # it has said so
        sys.exit(status)
    if status:
        raise UserError(f'python {" ".join(command)} failed: see its own lines above; the same command goes on')


if __name__ == '__main__':
    with reported():
        main()
