"""The forms a student can take; a file for each library, imported when it is asked for."""

import importlib.util
import pkgutil
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, cast

from lgd_mm.errors import MissingError, UserError
from lgd_mm.exports.report import Difference

if TYPE_CHECKING:
    from lgd_mm.students.network import Student


class Written(NamedTuple):
    """What a target's function wrote and found.

    Attributes:
        library (str): What loaded it again, with its version.
        difference (Difference): From the student's own outputs.
        tolerance (float): What it may be at most.
        usage (str): Code that loads it; ``FOLDER`` stands for where it lies.
        notes (tuple[str, ...]): What else is to be known, one sentence each. Defaults to ().
        latency (Mapping[str, float]): Milliseconds for an image in the target's own runtime. Defaults to {}.
        normalises (bool): Whether the form takes RGB in [0, 1] and normalises it itself. Defaults to False.
        card (Mapping[str, Any]): Front matter of the model card. Defaults to {}.
    """

    library: str
    difference: Difference
    tolerance: float
    usage: str
    notes: tuple[str, ...] = ()
    latency: Mapping[str, float] = {}
    normalises: bool = False
    card: Mapping[str, Any] = {}


class Write(Protocol):
    """A target's function: writes into an empty folder, loads the result and compares it."""

    def __call__(self, student: Any, folder: Path, **options: Any) -> Written:
        """Options are those of the target."""


class Target(NamedTuple):
    """One form.

    Attributes:
        function (str): ``MODULE:NAME`` of a :class:`Write`; a module that begins with a dot is of this package.
        needs (dict[str, str]): Modules it imports, and the names they are installed by.
        options (tuple[str, ...]): Further arguments it takes. Defaults to ().
        any_student (bool): Whether it takes every architecture. Defaults to True.
    """

    function: str
    needs: dict[str, str]
    options: tuple[str, ...] = ()
    any_student: bool = True

    def check_installed(self, name: str) -> None:
        """See that the libraries are there.

        Args:
            name (str): Of the target, for messages.

        Raises:
            UserError: If one is not installed.
        """
        missing = [package for module, package in self.needs.items() if importlib.util.find_spec(module) is None]
        if missing:
            are = 'is' if len(missing) == 1 else 'are'
            raise MissingError(f'export to {name} needs {" and ".join(missing)}, which {are} not installed: pip '
                               f'install {" ".join(missing)}')

    def load(self, name: str) -> Write:
        """Its function.

        Raises:
            UserError: If a library is not installed.
        """
        self.check_installed(name)
        package = __name__ if self.function.startswith('.') else ''
        return cast(Write, pkgutil.resolve_name(f'{package}{self.function}'))


#: Every target by its name.
TARGETS: dict[str, Target] = {
    'mmpretrain': Target('.openmmlab:write_mmpretrain', dict(mmpretrain='onedl-mmpretrain')),
    'mmdet': Target('.openmmlab:write_mmdet', dict(mmdet='onedl-mmdetection'), any_student=False),
    'mmseg': Target('.openmmlab:write_mmseg', dict(mmseg='onedl-mmsegmentation'), any_student=False),
    'torchvision': Target('.torchvision:write', dict(torchvision='torchvision'), any_student=False),
    'torchvision-detection': Target(
        '.torchvision_detection:write', dict(torchvision='torchvision'), any_student=False),
    'timm': Target('.timm:write', dict(timm='timm'), any_student=False),
    'safetensors': Target('.safetensors:write', dict(safetensors='safetensors')),
    'onnx': Target('.onnx:write', dict(onnx='onnx', onnxruntime='onnxruntime', onnxscript='onnxscript'),
                   options=('int8', 'categories')),
    'torch-export': Target('.torch_export:write', {}),
    'huggingface': Target(
        '.huggingface:write', dict(timm='timm', huggingface_hub='huggingface_hub'), any_student=False),
    'transformers': Target('.transformers:write', dict(transformers='transformers'), any_student=False),
}


def unknown_to(library: str, student: 'Student', reason: str) -> UserError:
    """The sentence about a student that a library has no network for, with the targets that take every one."""
    others = ', '.join(name for name, target in TARGETS.items() if target.any_student)
    return UserError(f'{library} has no network like this student ({student.architecture}): {reason}: export it to one '
                     f'of {others}')
