"""Misspelt paths and names are answered before the libraries are imported, which takes eight seconds."""

import json
import subprocess
import sys

import pytest
import timm

from lgd_mm.api import students, teachers
from lgd_mm.datasets.shapes import COLOURS, SHAPES
from lgd_mm.errors import UserError

#: Runs each command in one process, and writes what it says and which heavy libraries there are by then.
RUN = """
import contextlib, io, json, runpy, sys
from lgd_mm.cli import main
from lgd_mm.errors import reported
found = []
for words in json.loads(sys.stdin.read()):
    sys.argv, said = words, io.StringIO()
    with contextlib.redirect_stderr(said), contextlib.redirect_stdout(said), contextlib.suppress(SystemExit):
        if words[0] == 'lgd-mm':
            main()
        else:
            runpy.run_path(words[0], run_name='__main__')
    heavy = [name for name in ('torch', 'mmcv', 'open_clip', 'timm', 'cv2') if name in sys.modules]
    found.append((said.getvalue(), heavy))
print(json.dumps(found))
"""
PRETRAIN = ['pretrain', '--images', 'pictures', '--classes', 'a,b', '--out', 'run']
FINETUNE = ['finetune', '--data', 'pictures', '--student', 'student.pth', '--out', 'run', '--task']
#: Words behind lgd-mm -> what is said.
MISTAKES: list[tuple[list[str], str]] = [
    ([*PRETRAIN, '--images', 'nope'], 'images: nope does not exist'),
    ([*PRETRAIN, '--images', 'student.pth'], 'images: student.pth is a file'),
    ([*PRETRAIN, '--out', 'used'], 'out: used is not empty'),
    ([*PRETRAIN, '--out', 'used', '--resume', '--overwrite'], 'give one of them'),
    ([*PRETRAIN, '--classes', 'coc'], "no set is called 'coc'; did you mean 'coco'?"),
    ([*PRETRAIN, '--classes', 'coco+none.txt'], 'none.txt cannot be read'),
    ([*PRETRAIN, '--classes', 'nope.json', 'model.lgka.momentum=0.9'], 'nope.json cannot be read'),
    ([*PRETRAIN, '--classes', 'a,a'], "'a'"),
    ([*PRETRAIN, '--student', 'resnet-18', '--gpus', '2'], "did you mean 'resnet18'"),
    ([*PRETRAIN, '--student', 'efficientnet_b1'], "'timm/efficientnet_b1'"),
    ([*PRETRAIN, '--teacher', 'shaps'], "no teacher is called 'shaps'; did you mean 'shapes'?"),
    ([*PRETRAIN, '--teacher', 'vit-b-16/openai'], "did you mean 'ViT-B-16/openai'"),
    ([*PRETRAIN, '--teacher', 'local-dir:nope'], 'local-dir:nope: there is no such folder: give'),
    ([*PRETRAIN, '--teacher', 'used'], 'for the folder give local-dir:used;'),
    ([*PRETRAIN, '--templates', 'nope.txt'], 'nope.txt cannot be read'),
    ([*PRETRAIN, '--init', 'nope.pth'], 'nope.pth does not exist'),
    ([*FINETUNE, 'detection', '--student', 'nope'], 'nope does not exist: give the folder of a run'),
    ([*FINETUNE, 'segmentation', '--data', 'nope'], 'data: nope is no folder'),
    ([*FINETUNE, 'classification'], 'data: pictures has no folder train'),
    (['zero-shot', 'nope', 'pictures'], 'nope does not exist'),
    (['zero-shot', 'used', 'nope'], 'images: nope does not exist'),
    (['zero-shot', 'used', 'pictures', '--classes', 'nope.txt'], 'nope.txt cannot be read'),
    (['evaluate', 'nope'], 'nope does not exist'),
    (['evaluate', 'used', '--data', 'nope'], 'data: nope does not exist'),
    (['evaluate', 'used', '--teacher', 'shaps'], "did you mean 'shapes'?"),
    (['export', 'nope.pth', '--to', 'onnx', '--out', 'x'], 'nope.pth does not exist'),
    (['export', 'student.pth', '--to', 'onx', '--out', 'x'], "did you mean 'onnx'?"),
    (['export', 'student.pth', '--to', 'timm', '--out', 'x', '--int8'], 'int8 is for the target onnx'),
    (['export', 'student.pth', '--to', 'timm', '--out', 'used'], 'used exists already'),
    (['export', 'student.pth', '--to', 'onnx', '--out', 'x', '--calibrate', 'nope', '--int8'], 'nope does not exist'),
    (['export', 'student.pth', '--to', 'timm', '--out', 'x', '--raw'], '--raw is for the target onnx or openvino'),
    (['--help'], 'Usage: lgd-mm'),
    (['list', 'nothing'], "'nothing' is not one of"),
    (['list', 'configs', 'nothing'], "none of the configs is called 'nothing'"),
    (['list', 'students'], 'timm/resnet18 '),
    (['list', 'students', '--max-params', '10', '--head', 'fpn', '--size', '224'], 'mobilenetv2 '),
    (['list', 'students', 'resnet_18'], "none of the students is called 'resnet_18': did you mean 'resnet18'"),
    (['list', 'tasks'], 'coco/mask-rcnn '),
    (['list', 'tasks', 'shapes/upernet'], 'shapes/upernet, version 1: UPerNet'),
    (['list', 'teachers', '--head', 'fpn'], '--head is for `lgd-mm list students`: leave it out for teachers'),
    (['pretain'], "Did you mean 'pretrain'?"),
]
#: The same of the tools.
OF_TOOLS: list[tuple[list[str], str]] = [
    (['train.py', 'nope.py'], 'config nope.py does not exist'),
    (['train.py', 'config.py', '--student', 'nope.pth'], 'nope.pth does not exist'),
    (['train.py', 'config.py', '--resume', 'nope.pth'], 'nope.pth does not exist'),
    (['train.py', 'config.py', '--data', 'nope'], 'data: nope is no folder'),
    (['test.py', 'config.py', 'nope.pth'], 'nope.pth does not exist'),
    (['cache_teacher.py', 'nope.py', '--views', '1', '--out', 'x'], 'config nope.py does not exist'),
    (['export_student.py', 'nope.pth', 'x'], 'nope.pth does not exist'),
    (['benchmark.py', 'nope.py'], 'config nope.py does not exist'),
    (['evaluate_features.py', 'nope.py', 'student.pth'], 'config nope.py does not exist'),
    (['evaluate_features.py', 'config.py', 'nope.pth'], 'nope.pth does not exist'),
]


def test_mistakes_need_no_library(tmp_path, pytestconfig):
    (tmp_path / 'pictures').mkdir()
    (tmp_path / 'used').mkdir()
    for name in ('student.pth', 'used/notes.txt', 'config.py'):
        (tmp_path / name).write_text('')
    commands = [(['lgd-mm', *words], said) for words, said in MISTAKES]
    commands += [([str(pytestconfig.rootpath / 'tools' / name), *words], said) for (name, *words), said in OF_TOOLS]
    done = subprocess.run([sys.executable, '-c', RUN], input=json.dumps([words for words, _ in commands]), cwd=tmp_path,
                          capture_output=True, text=True, check=True)
    for (words, expected), (said, heavy) in zip(commands, json.loads(done.stdout), strict=True):
        assert expected in said and heavy == [], (words, said, heavy)
    assert not {path.name for path in tmp_path.iterdir()} & {'run', 'x'}


def test_names_that_are_guessed_from_are_those_there_are():
    """Read from timm's source, and written down again, so that nothing is imported."""
    assert sorted(students.models_of_timm()) == sorted(timm.list_models())
    assert set(teachers.WORLD) == {*SHAPES, *COLOURS} and len(teachers.WORLD) == len(SHAPES) + len(COLOURS)


@pytest.mark.parametrize('name', teachers.teacher_names()[::40] + ['shapes'])
def test_teachers_there_are_pass(name):
    teachers.check_teacher(name)


def test_shapes_says_what_it_knows():
    known = teachers.about_shapes(['red star', 'Circle'])
    assert 'crescent' in known and 'purple' in known and 'warning' not in known
    said = teachers.about_shapes(['red star', 'owl', 'red fox', 'a', 'b', 'c', 'd'])
    assert said.startswith(known)
    assert 'warning: 6 of 7 names mean nothing to it (owl, red fox, a, b, c and 1 more): take another teacher' in said


def test_a_misspelt_model_of_timm_is_told():
    with pytest.raises(UserError, match="did you mean 'timm/resnet26'"):
        students.student_config('timm/resnet_26')
