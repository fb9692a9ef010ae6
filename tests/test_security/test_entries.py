"""Nothing that takes a file, and nothing that builds, is left out of the table."""

import ast
import inspect

import click

import lgd_mm
from lgd_mm.cli.main import cli
from tests.test_security.entries import DATA, OTHER, PROGRAMS, TAKES, Entries
from tests.tiny import ROOT

#: Every place that builds something, or runs a config, and where what it builds comes from.
BUILDS = {
    # Of a config that a user names, or that this package ships.
    'lgd_mm/api/backbones.py': 1, 'tools/make_student_table.py': 3,
    'lgd_mm/api/evaluating.py': 1, 'lgd_mm/api/finetuning.py': 1, 'lgd_mm/api/pretraining.py': 1,
    'lgd_mm/evaluation/features.py': 1,
    'lgd_mm/own_data/check_config.py': 1, 'lgd_mm/engine/fill_teacher_cache.py': 3, 'lgd_mm/engine/launch.py': 1,
    'lgd_mm/engine/settings.py': 1,
    'lgd_mm/engine/summary.py': 1, 'lgd_mm/suite/plan.py': 1, 'lgd_mm/suite/disk_space.py': 1,
    'lgd_mm/suite/task_data.py': 1, 'lgd_mm/api/watching.py': 1,
    'lgd_mm/datasets/few_labels.py': 1, 'lgd_mm/datasets/corruptions.py': 1, 'lgd_mm/metrics/corruptions.py': 1,
    'lgd_mm/zoo/finished.py': 1, 'lgd_mm/api/small_sets.py': 1, 'lgd_mm/comparison/configs.py': 2,
    'lgd_mm/engine/regions/images.py': 1, 'lgd_mm/engine/regions/grid.py': 1,
    'lgd_mm/engine/regions/checkpoint.py': 1, 'lgd_mm/engine/regions/detector.py': 1, 'tools/make_vl_world.py': 1,
    # Parts of a model, of the config that builds the model.
    'lgd_mm/models/classifiers/memory.py': 1, 'lgd_mm/models/classifiers/linear_probe.py': 1,
    'lgd_mm/models/distiller.py': 2, 'lgd_mm/models/hidden_teacher.py': 1, 'lgd_mm/models/vl/model.py': 1,
    'lgd_mm/models/vl/distill_vlm.py': 1, 'lgd_mm/models/necks/pyramid_between.py': 1,
    'lgd_mm/lean_mmseg/zero_shot.py': 3, 'lgd_mm/models/lgd.py': 2, 'lgd_mm/models/many_students.py': 2,
    'lgd_mm/models/necks/projection.py': 1, 'lgd_mm/models/necks/fpn_projection.py': 1,
    'lgd_mm/models/structure.py': 1,
    'lgd_mm/models/students.py': 1, 'lgd_mm/models/zero_shot.py': 2, 'lgd_mm/models/teachers/backbone.py': 2,
    'lgd_mm/students/backbone.py': 1, 'lgd_mm/students/neck.py': 1,
    # Of a file, checked by lgd_mm.safety.allow_list before.
    'lgd_mm/safety/bounded_build.py': 1,
    'lgd_mm/api/prediction.py': 1, 'lgd_mm/evaluation/evaluate.py': 1,
    'lgd_mm/exports/targets/onnx.py': 1, 'lgd_mm/exports/targets/openmmlab.py': 2, 'lgd_mm/teacher_cache/teacher.py': 1,
    'lgd_mm/suite/predictions.py': 1, 'lgd_mm/engine/report_work_dir.py': 1, 'lgd_mm/report/images.py': 1,
    'lgd_mm/report/teacher_accuracy.py': 2, 'lgd_mm/deploy/images.py': 1,
}


def called(path):
    for node in ast.walk(ast.parse(path.read_text(encoding='utf-8'))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            owner = ast.unparse(node.func.value)
            if (node.func.attr == 'build' and owner.rpartition('.')[2].isupper()) or owner == 'registry' or (
                    node.func.attr == 'fromfile' and owner == 'Config'):
                yield node


def test_what_builds_is_known():
    """A new call comes here with its reason: of a file, it goes through the list first."""
    found = {str(path.relative_to(ROOT)): len(list(called(path)))
             for folder in ('lgd_mm', 'tools') for path in (ROOT / folder).rglob('*.py')}
    assert {path: count for path, count in found.items() if count} == BUILDS


def parameters() -> set[str]:
    """Of every command, tool and function of the front door."""
    found = {parameter.name for command in cli.commands.values() for parameter in command.params}
    for name in lgd_mm.FRONT_DOOR:
        found |= set(inspect.signature(getattr(lgd_mm, name)).parameters)
    for path in (ROOT / 'tools').glob('*.py'):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and ast.unparse(node.func).endswith('.add_argument'):
                name = next(word.value for word in node.args if isinstance(word, ast.Constant))
                found.add(name.lstrip('-').replace('-', '_'))
    return found


def test_every_parameter_is_in_the_table():
    """A new one that takes a file gets an entry."""
    known = {*TAKES, *PROGRAMS, *DATA, *OTHER}
    assert parameters() - known == set()


def test_the_table_has_entries():
    entries = {*Entries(None, None).of_files(), *Entries(None, None).of_folders()}
    wanted = {name for names in TAKES.values() for name in names}
    assert wanted <= entries | {'teacher', 'read_results'}
    assert all(isinstance(command, click.Command) for command in cli.commands.values())
