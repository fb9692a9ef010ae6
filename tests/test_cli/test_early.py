"""Misspelt paths and names are answered before the libraries are imported, which takes eight seconds."""

import json
import subprocess
import sys

import mmpretrain
import numpy as np
import open_clip
import pytest
import timm
from safetensors.numpy import save

from lgd_mm.api import known_names, students, teachers
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
    (['predict', 'nope', 'pictures', '--out', 'x'], 'nope does not exist: give the folder of a run'),
    (['predict', 'student.pth', 'nope', '--out', 'x'], 'images: nope does not exist'),
    (['predict', 'student.pth', 'pictures', '--out', 'used'], 'used is not empty and holds no predictions'),
    (['predict', 'student.pth', 'pictures', '--out', 'pictures/x'], 'lies in pictures, whose images are read'),
    (['predict', 'student.pth', 'pictures', '--out', 'x', '--ids', 'nope.json'], 'ids: nope.json is no file'),
    (['embed', 'nope.pth', 'pictures', '--out', 'x.npy'], 'nope.pth does not exist'),
    (['embed', 'student.pth', 'nope', '--out', 'x.npy'], 'images: nope does not exist'),
    (['embed', 'student.pth', 'pictures', '--out', 'x.txt'], 'x.txt is neither .parquet nor .npy'),
    (['caption', 'nope', 'pictures'], 'nope does not exist'),
    (['caption', 'empty', 'pictures'], 'empty holds no student'),
    (['caption', 'used', 'pictures', '--detector', 'nope'], 'nope does not exist'),
    (['caption', 'used', 'pictures', '--config', 'nope.py'], 'config nope.py does not exist'),
    (['caption', 'used', 'pictures', 'empty'], 'images: empty holds no image'),
    (['caption', 'used', 'pictures', '--out', 'notes.txt'], 'notes.txt is neither .csv nor .json'),
    (['caption', 'used', 'pictures', '--out', 'nope/a.csv'], 'out: nope is no folder'),
    (['caption', 'plain.safetensors', 'pictures'], 'plain.safetensors holds no model of vision and language'),
    (['ask', 'used', 'pictures', ' '], 'the question is empty'),
    (['ask', 'used', 'nope', 'is it?'], 'images: nope does not exist'),
    ([*PRETRAIN, '--images', 'nope'], 'images: nope does not exist'),
    ([*PRETRAIN, '--images', 'student.pth'], 'images: student.pth is a file'),
    ([*PRETRAIN, '--images', 'empty'], 'images: empty holds no image'),
    ([*PRETRAIN, '--out', 'used'], 'out: used is not empty'),
    ([*PRETRAIN, '--out', 'used', '--resume', '--overwrite'], 'give one of them'),
    ([*PRETRAIN, '--classes', 'coc'], "no set is called 'coc'; did you mean 'coco'?"),
    ([*PRETRAIN, '--classes', 'coco+none.txt'], 'none.txt cannot be read'),
    ([*PRETRAIN, '--classes', 'nope.json', 'model.lgka.momentum=0.9'], 'nope.json cannot be read'),
    ([*PRETRAIN, '--classes', 'a,a'], "'a'"),
    ([*PRETRAIN, '--student', 'resnet-18', '--gpus', '2'], "did you mean 'resnet18'"),
    ([*PRETRAIN, '--student', 'efficientnet_b1'], "'timm/efficientnet_b1'"),
    ([*PRETRAIN, '--student', 'timm/resnet_26'], "did you mean 'timm/resnet26'"),
    ([*PRETRAIN, '--teacher', 'shaps'], "no teacher is called 'shaps'; did you mean 'shapes'?"),
    ([*PRETRAIN, '--teacher', 'vit-b-16/openai'], "did you mean 'ViT-B-16/openai'"),
    ([*PRETRAIN, '--teacher', 'RN50/opnai'], "RN50 has no such tag; did you mean 'openai'?"),
    ([*PRETRAIN, '--teacher', 'RN50/openai=nope.pt'], 'there is no file nope.pt'),
    ([*PRETRAIN, '--teacher', 'local-dir:nope'], 'local-dir:nope: there is no such folder: give'),
    ([*PRETRAIN, '--teacher', 'used'], 'for the folder give local-dir:used;'),
    ([*PRETRAIN, '--templates', 'nope.txt'], 'nope.txt cannot be read'),
    ([*PRETRAIN, '--templates', 'notes.txt'], "'a photo' needs exactly one {}"),
    ([*PRETRAIN, '--init', 'nope.pth'], 'nope.pth does not exist'),
    ([*PRETRAIN, '--init', 'empty'], 'empty holds no student'),
    ([*PRETRAIN, '--init', 'notes.safetensors'], 'notes.safetensors is cut off or not a checkpoint'),
    ([*PRETRAIN, '--init', 'notes.txt'], 'notes.txt is cut off or not a checkpoint (it begins as none)'),
    ([*PRETRAIN, '--epochs', '0'], 'epochs is 0: give auto or a whole number of at least 1'),
    ([*PRETRAIN, '--lr', 'nan'], 'lr is nan: give auto or a number above 0'),
    ([*PRETRAIN, '--image-size', '3'], 'image_size is 3: give auto or a whole number of at least 32'),
    ([*PRETRAIN, '--watch', 'empty'], 'watch: empty holds no image'),
    ([*PRETRAIN, '--keep-best'], 'keep_best is about the images of watch'),
    ([*PRETRAIN, '--out', '/proc/run'], 'out: /proc/run cannot be written to'),
    ([*PRETRAIN, 'momentum'], "'momentum' is no KEY=VALUE"),
    ([*FINETUNE, 'detection', '--student', 'nope'], 'nope does not exist: give the folder of a run'),
    ([*FINETUNE, 'detection', '--student', 'empty'], 'empty holds no student'),
    ([*FINETUNE, 'detection', '--backbone', 'resnt18'], "did you mean 'resnet18'"),
    ([*FINETUNE, 'detection', '--backbone', 'timm/resnt18'], "did you mean 'timm/resnet18'"),
    ([*FINETUNE, 'detection', '--batch-size', '0'], 'batch_size is 0'),
    ([*FINETUNE, 'detection', '--data', 'empty'], 'empty is of no format that is known'),
    ([*FINETUNE, 'detection', 'garbage'], "'garbage' is no KEY=VALUE"),
    ([*FINETUNE, 'segmentation', '--data', 'nope'], 'data: nope is no folder'),
    ([*FINETUNE, 'classification'], 'data: pictures has no folder train'),
    (['convert', 'nope', 'x'], 'nope is no folder: give that of a data set'),
    (['convert', 'pictures', 'used'], 'used is there and not empty: give another OUT'),
    (['convert', 'pictures', 'pictures/x'], 'pictures/x lies in pictures, and would be read as a part of it'),
    (['convert', 'pictures', 'x'], 'pictures is of no format that is known (coco, yolo, voc, '),
    (['convert', 'pictures', 'x', '--from', 'yollo'], "'yollo' is not one of"),
    (['convert', 'pictures', 'x', '--val-share', '20'], '--val-share is 20, and should be between 0 and 1'),
    (['convert', 'pictures', 'x', '--from', 'yolo', '--void', '3'], '--void is for images and masks'),
    (['convert', 'pictures', 'x', '--class-table', 'nope'], '--class-table nope does not exist'),
    (['zero-shot', 'nope', 'pictures'], 'nope does not exist'),
    (['zero-shot', 'empty', 'pictures'], 'empty holds no student'),
    (['zero-shot', 'used', 'empty'], 'images: empty holds no image'),
    (['zero-shot', 'used', 'nope'], 'images: nope does not exist'),
    (['zero-shot', 'used', 'pictures', '--classes', 'nope.txt'], 'nope.txt cannot be read'),
    (['evaluate', 'nope'], 'nope does not exist'),
    (['evaluate', 'empty', '--data', 'pictures'], 'empty holds no student'),
    (['evaluate', 'used'], 'a student is evaluated on labelled images: give data'),
    (['evaluate', 'used', '--data', 'pictures', '--out', 'student.pth/x'], 'student.pth/x cannot be written to'),
    (['evaluate', 'used', '--data', 'nope'], 'data: nope does not exist'),
    (['evaluate', 'used', '--data', 'pictures', '--teacher', 'shaps'], "did you mean 'shapes'?"),
    (['export', 'nope.pth', '--to', 'onnx', '--out', 'x'], 'nope.pth does not exist'),
    (['export', 'notes.safetensors', '--to', 'onnx', '--out', 'x'], 'notes.safetensors is cut off'),
    (['export', 'student.pth', '--to', 'onx', '--out', 'x'], "did you mean 'onnx'?"),
    (['export', 'student.pth', '--to', 'timm', '--out', 'x', '--int8'], 'int8 is for the target onnx'),
    (['export', 'student.pth', '--to', 'timm', '--out', 'used'], 'used exists already'),
    (['cost', 'nope'], "no student is called 'nope'"),
    (['cost', 'timm/resnt18'], "did you mean 'timm/resnet18'"),
    (['cost', 'empty'], 'empty holds no student'),
    (['cost', 'notes.txt'], 'notes.txt is cut off or not a checkpoint'),
    (['cost', 'resnet18', '--threads', '9999'], 'threads is 9999, and this process may use'),
    (['cost', 'resnet18', '--size', '10000'], 'size is 10000: give a number of 1 to 4096'),
    (['cost', 'resnet18', '--json', 'nope/cost.json'], 'nope is no folder'),
    (['inspect', 'nope'], 'folder: nope does not exist'),
    (['inspect', 'empty'], 'folder: empty holds no image'),
    (['inspect', 'pictures', '--out', 'notes.txt'], 'out: notes.txt exists and is no page of lgd-mm inspect'),
    (['inspect', 'pictures', '--out', 'nope/a.html'], 'out: nope is no folder'),
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
    (['train.py', 'config.py', '--student', 'notes.txt'], 'notes.txt is cut off or not a checkpoint'),
    (['train.py', 'config.py', '--backbone', 'resnt18'], "did you mean 'resnet18'"),
    (['test.py', 'config.py', 'student.pth', '--backbone', 'timm/resnt18'], "did you mean 'timm/resnet18'"),
    (['test.py', 'config.py', 'nope.pth'], 'nope.pth does not exist'),
    (['cache_teacher.py', 'nope.py', '--views', '1', '--out', 'x'], 'config nope.py does not exist'),
    (['export_student.py', 'nope.pth', 'x'], 'nope.pth does not exist'),
    (['benchmark.py', 'nope.py'], 'config nope.py does not exist'),
    (['evaluate_features.py', 'nope.py', 'student.pth'], 'config nope.py does not exist'),
    (['evaluate_features.py', 'config.py', 'nope.pth'], 'nope.pth does not exist'),
    (['evaluate_features.py', 'config.py', 'student.pth', '--lrs', '0'], "--lrs: '0' is no number above 0"),
    (['evaluate_features.py', 'config.py', 'student.pth', '--epochs', '-1'], "'-1' is no whole number of at least 1"),
    (['evaluate_features.py', 'config.py', 'student.pth', '--backbone', 'resnt18'], "did you mean 'resnet18'"),
    (['evaluate_features.py', 'config.py', 'student.pth', '--categories', 'nope.txt'], 'nope.txt cannot be read'),
    (['benchmark.py', 'config.py', '--backbone', 'resnt18'], "did you mean 'resnet18'"),
    (['benchmark.py', '--compare', 'nope.json', 'nope.json'], 'nope.json'),
    (['prepare_dataset.py', 'coco', 'nope'], 'nope is no folder: give that of the data set'),
    (['resize_dataset.py', 'nope', 'x'], 'SRC: nope does not exist'),
    (['resize_dataset.py', 'empty', 'x'], 'SRC: empty holds no image'),
    (['voc_to_coco.py', 'nope', 'x'], "nope is no folder: give VOC's folder"),
    (['add_to_zoo.py', 'nope'], 'nope is no folder: give the work dir of a run'),
    (['pretrain_report.py', 'nope'], 'nope is no folder: give the work dir of a pre-training'),
]


def test_mistakes_need_no_library(tmp_path, pytestconfig):
    for name in ('pictures', 'used', 'empty'):
        (tmp_path / name).mkdir()
    for name, content in {'pictures/cat.jpg': '', 'config.py': '', 'used/last_checkpoint': 'epoch_1.pth',
                          'notes.txt': 'a photo', 'notes.safetensors': 'a photo'}.items():
        (tmp_path / name).write_text(content)
    (tmp_path / 'student.pth').write_bytes(b'\x80\x02')
    (tmp_path / 'plain.safetensors').write_bytes(save({'a': np.zeros(1)}))
    commands = [(['lgd-mm', *words], said) for words, said in MISTAKES]
    commands += [([str(pytestconfig.rootpath / 'tools' / name), *words], said) for (name, *words), said in OF_TOOLS]
    done = subprocess.run([sys.executable, '-c', RUN], input=json.dumps([words for words, _ in commands]), cwd=tmp_path,
                          capture_output=True, text=True)
    assert not done.returncode, done.stderr[-1500:]
    for (words, expected), (said, heavy) in zip(commands, json.loads(done.stdout), strict=True):
        assert expected in said and heavy == [], (words, said, heavy)
    assert not {path.name for path in tmp_path.iterdir()} & {'run', 'x'}


def test_names_that_are_guessed_from_are_those_there_are():
    """Read from timm's source, and written down again, so that nothing is imported."""
    assert sorted(known_names.models_of_timm()) == sorted(timm.list_models())
    assert all(map(known_names.is_of_timm, [*timm.models._registry._model_entrypoints, 'resnet18.a1_in1k']))
    assert {model: [*tags] for model, tags in known_names.tags_of_open_clip().items()} == {
        model: open_clip.list_pretrained_tags_by_model(model) for model, _ in open_clip.list_pretrained()}
    assert set(known_names.models_of_open_clip()) == set(open_clip.list_models())
    assert set(known_names.models_of_mmpretrain()) >= {
        name for name in mmpretrain.list_models() if not name.startswith('lgd-')}
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
