"""Everything that takes a file of weights, or the folder of a run: a name, and a small call."""

import contextlib
from collections.abc import Callable
from pathlib import Path

import torch
from mmengine.config import Config
from torch import nn

import lgd_mm
from lgd_mm.io.safe_load import load_checkpoint_file
from lgd_mm.language.wordpiece import SPECIAL
from tests.configs import read_config
from tests.tiny import ROOT

#: Parameters of commands, tools and functions that take files of data somebody else may have made, and the entries that
#: stand for them.
TAKES = dict(
    student=('load_student', 'zero_shot', 'finetune', 'finetune, detection', 'export_student', 'embed', 'plug_student',
             'caption', 'ask'),
    detector=('caption, detector', 'caption, cells', 'caption, detector in a folder'),
    network=('predict', 'predict, a folder', 'export', 'export, a folder'),
    run=('evaluate', 'evaluate a folder', 'evaluate a folder, on images', 'add_run'),
    checkpoint=('evaluate_features', 'export_checkpoint', 'test'),
    backbone=('backbone_named', ),
    init=('pretrain --init', ),
    path=('load_student', 'load_student, a folder'),
    resume=('resume', ),
    work_dir=('report_work_dir', 'find_models'),
    teacher=('teacher', ),
    compare=('read_results', ),
    start=('test', ))  # read as a checkpoint is
#: Takes programs: a config, or a suite of them, is trusted by whoever names it.
PROGRAMS = ('config', 'suite', 'cfg_options', 'options')
#: Takes data sets, whose own tests are in tests/faults: images, annotations, names and prompts.
DATA = (
    'images', 'classes', 'templates', 'data', 'categories', 'root', 'dataset', 'source', 'cache', 'watch', 'ids',
    'folder', 'detection', 'segmentation', 'classification', 'class_table', 'calibrate', 'check_images', 'boxes',
    'annotations')
#: Takes numbers, names of this package, or places to write to.
OTHER = (
    'words', 'from_scratch', 'out', 'overwrite', 'epochs', 'batch_size', 'accumulate', 'optimizer', 'lr', 'image_size',
    'amp', 'workers', 'seed', 'tracker', 'recipe', 'gpus', 'task', 'top', 'target', 'int8', 'what', 'pattern', 'name',
    'zoo', 'entries', 'tasks', 'seeds', 'dry_run', 'slurm', 'jobs', 'views', 'crops', 'crop_scale', 'plan', 'of',
    'rate', 'devices', 'share', 'lrs', 'file', 'to', 'check', 'short_side', 'quality', 'launcher', 'local_rank',
    'allow_partial_student', 'auto_scale_lr', 'steps', 'pictures', 'world', 'targets', 'max_params', 'head', 'size',
    'metric', 'watch_every', 'patience', 'keep_best', 'log_samples', 'batch', 'threads', 'shots', 'draws', 'score',
    'drawing', 'no_drawing', 'every', 'embedding', 'as_json', 'backbone_only', 'raw', 'budget', 'methods', 'students',
    'form', 'val_share', 'void', 'grid', 'most', 'split', 'beams', 'questions', 'least', 'checked', 'unchecked',
    'with_map', 'copy_to')


class Entries:
    """The calls, with the images that some of them want.

    Args:
        folder (Path): To write to.
        images (Path): Labelled images in ``{train,val}/CLASS/*``.
    """

    def __init__(self, folder: Path, pictures: Path) -> None:
        self.folder, self.pictures, self.count = folder, pictures, 0

    def new(self) -> Path:
        """A folder that is not there yet."""
        self.count += 1
        return self.folder / f'out{self.count}'

    def of_files(self) -> dict[str, Callable[[Path], object]]:
        """Those that take a file."""
        from lgd_mm.api.backbones import backbone_named
        from lgd_mm.evaluation import evaluate_features
        from lgd_mm.exports import export_student
        from lgd_mm.students import export_checkpoint
        from lgd_mm.students.read import read_student_file
        return {
            'load_student': lgd_mm.load_student,
            'zero_shot': lambda file: lgd_mm.zero_shot(file, self.pictures, 'cat,dog'),
            'embed': lambda file: lgd_mm.embed(file, self.pictures),
            'predict': lambda file: lgd_mm.predict(file, self.pictures, self.new()),
            'caption': lambda file: lgd_mm.caption(file, self.pictures, file),
            'ask': lambda file: lgd_mm.ask(file, self.pictures, 'what?', file),
            'caption, detector': lambda file: lgd_mm.caption(self.captioner(), self.pictures, file),
            'caption, cells': lambda file: lgd_mm.caption(self.captioner(grid=2), self.pictures, file),
            'evaluate': lambda file: lgd_mm.evaluate(file, self.pictures, out=self.new()),
            'finetune': lambda file: lgd_mm.finetune('classification', file, self.pictures, out=self.new(), epochs=1),
            'finetune, detection': lambda file: lgd_mm.finetune('detection', file, self.pictures, out=self.new()),
            'export': lambda file: lgd_mm.export(file, 'onnx', self.new()),
            'export_student': lambda file: export_student(file, 'safetensors', self.new()),
            'export_checkpoint': lambda file: export_checkpoint(file, self.new() / 'student'),
            'read_student_file': read_student_file,
            'backbone_named': lambda file: backbone_named(str(file)),
            'plug_student': self.plug,
            'pretrain --init': lambda file: self.plug(file, allow_partial=True),
            'evaluate_features': lambda file: evaluate_features(
                str(self.linear()), str(file), str(self.new())),
            'test': self.test,
            'resume': self.resume,
            'BackboneTeacher': self.backbone_teacher,
            'Config.fromstring': self.fromstring,
            'DetInferencer': lambda file: self.inferencer('mmdet', file),
            'MMSegInferencer': lambda file: self.inferencer('mmseg', file),
            'MMSegInferencer, as a model': self.as_a_model,
            'ImageClassificationInferencer': self.classification,
            'get_model': self.get_model,
        }

    def of_folders(self) -> dict[str, Callable[[Path], object]]:
        """Those that take the folder of a run."""
        from lgd_mm.engine.report_work_dir import report_work_dir
        from lgd_mm.zoo.add import add_run
        return {
            'load_student, a folder': lgd_mm.load_student,
            'predict, a folder': lambda run: lgd_mm.predict(run, self.pictures, self.new()),
            'caption, detector in a folder': lambda run: lgd_mm.caption(self.captioner(), self.pictures, run),
            'export, a folder': lambda run: lgd_mm.export(run, 'onnx', self.new()),
            'evaluate a folder': lambda run: lgd_mm.evaluate(run, out=self.new()),
            'evaluate a folder, on images': lambda run: lgd_mm.evaluate(run, self.pictures, out=self.new()),
            'add_run': lambda run: add_run(run, 'evil', self.new()),
            'report_work_dir': report_work_dir,
            'find_models': self.find_models,
        }

    def captioner(self, grid: int | None = None) -> Path:
        """A student of vision and language that has seen regions of a detector, or cells."""
        from lgd_mm.models.vl import VisionLanguageModel
        from lgd_mm.models.vl.weights import write_model
        file = self.folder / f'captioner{grid}.safetensors'
        config = dict(type='lgd_mm.VisionLanguageModel', task=dict(type='lgd_mm.VLCaptioning'), transformer=dict(
            region_width=14, width=8, depth=1, heads=1))
        if not file.is_file():
            model = VisionLanguageModel([*SPECIAL, 'a'], config['transformer'], config['task'])
            write_model(model, config, 0, file, dict(lengths=[8, 4, 4], regions=dict(
                detector=dict(config='', weights=''), tags=['a'], width=8, most=4, grid=grid, boxes=None)))
        return file

    def linear(self) -> Path:
        return ROOT / 'configs/classification/linear_r18_folder.py'

    def plug(self, file: Path, allow_partial: bool = False) -> None:
        from lgd_mm.students import plug_student
        plug_student(read_config(self.linear()), file, allow_partial)

    def test(self, file: Path) -> None:
        from lgd_mm.engine.launch import test
        test(str(self.linear()), str(file), work_dir=str(self.new()),
             cfg_options={'test_dataloader.dataset.data_root': str(self.pictures)})

    def resume(self, file: Path) -> None:
        """What a runner reads of the checkpoint that it resumes from."""
        from lgd_mm.runs.checkpoints import read_training_state
        Config.fromstring(read_training_state(file)['meta']['config'], '.py')

    def backbone_teacher(self, file: Path) -> None:
        from lgd_mm.models.teachers import BackboneTeacher
        BackboneTeacher(dict(type='mmpretrain.MobileNetV2', widen_factor=0.1), checkpoint=str(file))

    def fromstring(self, file: Path) -> None:
        text = load_checkpoint_file(file).get('meta', {}).get('cfg')
        if isinstance(text, str):
            Config.fromstring(text, '.py')
            Config.fromstring(text, '.yaml')

    def inferencer(self, library: str, file: Path) -> None:
        from mmdet.apis import DetInferencer
        from mmseg.apis import MMSegInferencer
        with contextlib.redirect_stdout(None):
            if library == 'mmdet':
                DetInferencer(weights=str(file), device='cpu', show_progress=False)
            else:
                MMSegInferencer(None, weights=str(file), device='cpu', show_progress=False)

    def as_a_model(self, file: Path) -> None:
        from mmseg.apis import MMSegInferencer
        with contextlib.suppress(OSError):  # mmengine reads configs by their endings
            MMSegInferencer(str(file), device='cpu')

    def classification(self, file: Path) -> None:
        from mmpretrain import ImageClassificationInferencer
        try:
            ImageClassificationInferencer(str(file), device='cpu')
        except ValueError as error:  # what is no config is looked for among the names of the zoo
            if not str(error).startswith(f'Failed to find model "{file}"'):
                raise

    def get_model(self, file: Path) -> nn.Module:
        import mmpretrain
        return mmpretrain.get_model('lgd-mobilenetv2_headless', pretrained=str(file))

    def find_models(self, run: Path) -> None:
        from lgd_mm.suite.predictions import draw_predictions, find_models
        from lgd_mm.suite.schema import TaskColumns
        from tests.test_suite.made_up import cell, results
        found = results({'task': []}, ['evil'], [cell('evil', 'task', seeds=(0, ), work_dirs=[str(run)])])
        for name in ('task.py', 'resolved_config.py'):
            models, _ = find_models(found, TaskColumns('task', name, []))
            with torch.no_grad(), contextlib.suppress(KeyError, AttributeError, TypeError):  # no network, no image
                draw_predictions(models)
