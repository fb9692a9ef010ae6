"""Names that are found elsewhere: of modules as they were called in 0.1, which warn, and of what is imported later."""

import re
import sys
import warnings
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

#: Old packages whose modules have kept their names, unless they are named below.
PACKAGES = {
    'benchmark': 'suite',
    'datasets.preparation': 'preparation',
    'datasets.resize': 'preparation.resize',
    'transfer': 'students',
}
#: Old name -> where its content is now.
MOVED = {
    'allow_list': 'safety.allow_list safety.allowed_packages',
    'api.class_folders': 'own_data.class_folders',
    'api.downstream': 'students.swap',
    'api.nearest': 'console.words',
    'benchmark.cause': 'suite.failure',
    'benchmark.chatter': 'console.quiet',
    'benchmark.environment': 'runs.environment',
    'benchmark.measures': 'runs.measures',
    'benchmark.room': 'suite.disk_space',
    'benchmark.suite': 'suite.definition',
    'benchmark.suite_config': 'suite.config',
    'bounded_build': 'safety.bounded_build',
    'cache': 'io.cache',
    'cli.spread': 'cli.spawn',
    'compat.networks': 'io.networks',
    'compat.noise': 'console.quiet',
    'compat.safe_load': 'io.safe_load io.contents compat.checkpoints',
    'compat.whole_checkpoints': 'compat.checkpoints',
    'config_numbers': 'safety.config_numbers',
    'datasets.cached_images': 'teacher_cache.images',
    'datasets.check_annotations': 'own_data.check_annotations',
    'datasets.check_labels': 'own_data.check_labels',
    'datasets.check_masks': 'own_data.check_masks',
    'datasets.check_objects': 'own_data.check_objects',
    'datasets.check_sizes': 'own_data.check_sizes',
    'datasets.coco_categories': 'own_data.coco_categories',
    'datasets.coco_set': 'own_data.coco_set',
    'datasets.complete_annotations': 'own_data.complete_annotations',
    'datasets.picture_size': 'datasets.image_size',
    'datasets.resize.picture': 'preparation.resize.image',
    'datasets.teacher_cache': 'teacher_cache.store',
    'datasets.whole_ids': 'own_data.whole_ids',
    'engine.bad_pictures': 'engine.checks.unreadable_image',
    'engine.best_checkpoint': 'engine.checks.best_metric',
    'engine.checkpoints': 'engine.hooks.checkpoints runs.checkpoints',
    'engine.class_folders': 'own_data.check_class_folders',
    'engine.data_checks': 'own_data.check_config',
    'engine.export_hook': 'engine.hooks.export_student',
    'engine.fill_cache': 'engine.fill_teacher_cache',
    'engine.guard': 'engine.guarded_step',
    'engine.health': 'engine.hooks.health models.pseudo_labels',
    'engine.lazy_losses': 'engine.hooks.lazy_losses',
    'engine.lone_picture': 'engine.checks.lone_image',
    'engine.non_finite': 'engine.hooks.non_finite',
    'engine.precise_bn': 'engine.hooks.precise_bn',
    'engine.preflight': 'engine.checks.preflight runs.checkpoints datasets.of_config',
    'engine.report_hook': 'engine.hooks.report',
    'engine.same_run': 'engine.checks.same_run',
    'engine.skipped_steps': 'engine.hooks.skipped_steps',
    'engine.view_size': 'engine.checks.view_size',
    'evaluation.student': 'students.read students.network',
    'exports.quiet': 'console.quiet',
    'exports.student': 'exports.source students.network',
    'files': 'io.files',
    'inputs': 'io.inputs',
    'interrupts': 'console.interrupts',
    'lock': 'io.lock',
    'models.teachers.cached': 'teacher_cache.teacher',
    'new_folder': 'io.new_folder',
    'options': 'io.options',
    'pictures': 'io.images',
    'progress': 'console.progress',
    'report.from_work_dir': 'engine.report_work_dir',
    'report.pictures': 'report.images',
    'report.scalars': 'runs.history',
    'say': 'console.rank_zero',
    'segmentation': 'lean_mmseg',
    'segmentation.iou_metric': 'lean_mmseg.iou_metric',
    'segmentation.masks': 'lean_mmseg.masks',
    'segmentation.pictures_and_masks': 'lean_mmseg.images_and_masks',
    'terminal': 'console.printable',
    'texts': 'io.texts',
    'transfer.config_text': 'safety.config_text',
    'transfer.own_data': 'own_data.config',
    'transfer.own_detection': 'own_data.detection',
    'transfer.own_folder': 'own_data.folder',
    'transfer.own_segmentation': 'own_data.segmentation',
    'transfer.palette': 'own_data.palette',
    'transfer.saved_config': 'safety.saved_config',
    'transfer.student': 'students.file students.read',
}
#: Modules that have kept their names, and hold functions that have not.
RENAMING = ('api.images', 'api.memory', 'compat.lvis_api', 'compat.plain_inputs', 'datasets.image_folder',
            'datasets.labelled_images', 'exports.check', 'report.neighbours')
#: Functions that have other names now; those of pictures are of images.
RENAMED = dict(
    ExportedStudent='read_source', picture='sample_image', say='print_rank0', cause='failure_reason',
    check_room='check_disk_space', silence_known_noise='silence_known_messages', without_chatter='quiet_loading')
IMAGE = dict(picture='image', Picture='Image', PICTURE='IMAGE')


def current_name(module: str) -> str:
    """Name of a module today.

    Args:
        module (str): As a config or program of any version has it.
    """
    places = _places(module)
    return places[0] if places else module


def _places(module: str) -> list[str]:
    """The modules that have the content of an old one; none if it is no old one."""
    old = module.removeprefix('lgd_mm.')
    package, _, name = old.rpartition('.')
    inside = f'{PACKAGES[package]}.{name}' if package in PACKAGES else ''
    return [f'lgd_mm.{place}' for place in (MOVED.get(old) or PACKAGES.get(old) or inside).split()]


def first_name(module: str) -> str:
    """Name that a module had in 0.1: what is known by the text of its config stays known by it.

    Args:
        module (str): As a config of today has it.
    """
    return next((f'lgd_mm.{old}' for old, now in MOVED.items() if f'lgd_mm.{now}' == module), module)


class MovedModules(MetaPathFinder, Loader):
    """Finds modules by their old names."""

    def find_spec(self, name: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        """A module that has moved."""
        return ModuleSpec(name, self, is_package=True) if name.startswith('lgd_mm.') and _places(name) else None

    def exec_module(self, module: ModuleType) -> None:
        """Import what it is now."""
        name = module.__name__
        places = [import_module(place) for place in _places(name)]
        warnings.warn(f'{name} is now {places[0].__name__}', FutureWarning, stacklevel=2)

        def find(attribute: str) -> Any:
            for place in places:
                for now in (attribute, *_names_now(attribute)):
                    if hasattr(place, now):
                        return getattr(place, now)
            raise AttributeError(f'module {name!r} has no attribute {attribute!r}')

        module.__getattr__ = find  # type: ignore[method-assign]


def answer_to_old_names(module: ModuleType) -> None:
    """Let a module find its functions under the names that they had.

    Args:
        module (ModuleType): One of :data:`RENAMING`, imported.
    """
    def find(name: str) -> Any:
        for now in _names_now(name):
            if now in vars(module):
                warnings.warn(f'{module.__name__}.{name} is now {now}', FutureWarning, stacklevel=2)
                return vars(module)[now]
        raise AttributeError(f'module {module.__name__!r} has no attribute {name!r}')

    module.__getattr__ = find  # type: ignore[method-assign]


def _names_now(name: str) -> list[str]:
    images = re.sub('[Pp]icture|PICTURE', lambda match: IMAGE[match[0]], name)
    return [RENAMED[name]] if name in RENAMED else [images] if images != name else []


def later(module: str, places: Mapping[str, str]) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """A package's ``__getattr__`` and ``__dir__`` with names that are imported on first use.

    Args:
        module (str): Its name.
        places (Mapping[str, str]): Name -> the module that has it.
    """
    def find(name: str) -> Any:
        if name not in places:
            raise AttributeError(f'module {module!r} has no attribute {name!r}')
        return getattr(import_module(places[name]), name)

    return find, lambda: sorted([*vars(sys.modules[module]), *places])


def moved_names(module: str, **places: str) -> Any:
    """A module's ``__getattr__`` that finds names which have left it.

    Args:
        module (str): Its name.
        **places (str): Name -> the module that has it now.
    """
    def find(name: str) -> Any:
        if name in places:
            warnings.warn(f'{module}.{name} is now {places[name]}.{name}', FutureWarning, stacklevel=2)
        return later(module, places)[0](name)

    return find


def find_moved_modules() -> None:
    """Let Python find modules by their old names."""
    sys.meta_path.append(MovedModules())
