"""Views that a student cannot take."""

from mmengine.runner import Runner

from lgd_mm.models.bare_model import bare_model
from lgd_mm.models.distiller import Distiller
from lgd_mm.models.features import check_size
from lgd_mm.models.many_students import students_of
from lgd_mm.students.backbone import describe
from lgd_mm.students.file import view_size


def check_view_size(runner: Runner) -> None:
    """See that the students of a pre-training take its views.

    Args:
        runner (Runner): About to train.

    Raises:
        UserError: If the network of one is made for another size alone.
    """
    size = view_size(runner.cfg)
    if size is None:
        return
    for name, student in students_of(bare_model(runner.model)).items():
        if isinstance(student, Distiller):
            config = runner.cfg.model.students[name] if name else runner.cfg.model
            check_size(student.backbone, size, describe(config.backbone))
