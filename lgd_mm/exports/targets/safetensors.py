"""The plain student: one safetensors file that says what it is."""

from importlib.metadata import version
from pathlib import Path

from lgd_mm.exports.check import SAME_KERNELS, compare, sample_image
from lgd_mm.exports.source import read_source
from lgd_mm.exports.targets import Written
from lgd_mm.students.file import student_bytes
from lgd_mm.students.network import Student

USAGE = """from safetensors import safe_open
with safe_open('FOLDER/student.safetensors', framework='pt') as file:
    metadata = file.metadata()  # backbone, mean, std, teacher, ... as JSON
    weights = {key.removeprefix('backbone.'): file.get_tensor(key) for key in file.keys()}"""


def write(student: Student, folder: Path) -> Written:
    """Write ``student.safetensors`` with keys ``backbone.*`` and the metadata of the pre-training.

    Args:
        student (Student): Any.
        folder (Path): Where to.

    Returns:
        Written: Built from the file's own metadata and compared.
    """
    file = folder / 'student.safetensors'
    file.write_bytes(student_bytes(student.backbone.state_dict(), student.metadata))
    image = sample_image()
    difference = compare('safetensors', {key: student.outputs(image)[key] for key in ('features', 'pooled')},
                         read_source(file).outputs(image), SAME_KERNELS)
    return Written(f'safetensors {version("safetensors")}', difference, SAME_KERNELS, USAGE)
