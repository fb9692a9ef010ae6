"""A trained student as a module that is ready to use."""

from pathlib import Path

from lgd_mm.runs.checkpoints import EXPORTED, check_holds_student, latest_checkpoint, no_student
from lgd_mm.students.network import Student
from lgd_mm.students.read import read_student_file

__all__ = ['Student', 'find_student', 'load_student']


def load_student(path: str | Path) -> Student:
    """Load a student that is ready to use.

    Args:
        path (str | Path): Folder of a pre-training (its last checkpoint), a checkpoint, or an exported student
            (``student.safetensors``, ``student.pth``).

    Returns:
        Student: In eval mode, on the CPU.

    Raises:
        UserError: If the file is missing, damaged or unsafe, or does not say of which backbone it is.
    """
    return Student(read_student_file(find_student(path)))


def find_student(path: str | Path, bare: bool = False) -> Path:
    """The file of a student.

    Args:
        path (str | Path): A file, or the folder of a pre-training.
        bare (bool): Of a folder, take the exported student where there is one, instead of the last checkpoint. Defaults
            to False.

    Returns:
        Path: The file; it may not exist if the path is no folder.

    Raises:
        UserError: If the folder holds no student.
    """
    folder = Path(path)
    if not folder.is_dir():
        return folder
    check_holds_student(folder)
    exported = folder / EXPORTED
    found = exported if bare and exported.is_file() else latest_checkpoint(str(folder))
    if found is None:
        found = exported
    if not found.is_file():
        raise no_student(folder)
    return found
