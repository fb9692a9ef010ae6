"""lgd-mm as it is typed, in this process."""

import os
import subprocess
import sys

import pytest
import torch
from click.testing import CliRunner

import lgd_mm
from lgd_mm.api import Predictions
from lgd_mm.api.finetuning import TASKS
from lgd_mm.api.values import AMP, OPTIMIZERS
from lgd_mm.cli import cli, main
from lgd_mm.cli.spawn import spread
from lgd_mm.errors import UserError
from tests.test_api.conftest import NAMES, SLIM

#: Of a process of its own.
CPU = dict(CUDA_VISIBLE_DEVICES='', OMP_NUM_THREADS='1')


def typed(*words: object, code: int = 0) -> str:
    """The output of a command."""
    done = CliRunner().invoke(cli, [str(word) for word in words], prog_name='lgd-mm', catch_exceptions=False)
    assert done.exit_code == code, done.output
    return done.output


def told(monkeypatch, capsys, *words: object, code: int = 2) -> str:
    """The one line that main() prints of a mistake, with an exit code."""
    monkeypatch.setattr(sys, 'argv', ['lgd-mm', *map(str, words)])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == code
    lines = capsys.readouterr().err.strip().splitlines()
    return lines[-1]


@pytest.mark.parametrize('command', [[], ['pretrain'], ['finetune'], ['zero-shot'], ['evaluate'], ['export'], ['list'],
                                     ['predict'], ['embed'], ['caption'], ['ask']])
def test_help_has_examples(command):
    """Lines that can be typed as they stand: their options exist."""
    help_text = typed(*command, '--help')
    examples = [line.split()[1:] for line in help_text.splitlines() if line.strip().startswith('lgd-mm ')]
    assert examples
    for name, *words in examples:
        known = {option for parameter in cli.commands[name].params for option in parameter.opts}
        assert {word for word in words if word.startswith('--')} <= known


def test_from_images_to_predictions(photos, birds, tmp_path, monkeypatch):
    """The path of a new user."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / 'names.txt').write_text('\n'.join(NAMES))
    (tmp_path / 'templates.txt').write_text('a {}.\n')
    said = typed('pretrain', '--images', photos, '--classes', 'names.txt', '--teacher', 'shapes', '--out', 'run',
                 '--epochs', 1, '--templates', 'templates.txt', '--workers', 0,
                 *(f'{key}={value}' for key, value in SLIM.items()))
    assert f'next:       lgd-mm zero-shot run {photos}\n' in said and 'student:    run/student.safetensors' in said
    assert 'teacher shapes is tiny and for trying commands: it knows circle, ' in said and 'warning' not in said
    assert typed('zero-shot', 'run', photos, '--out', 'found.csv').endswith('\nfound.csv: 20 images, 3 names\n')
    assert len((tmp_path / 'found.csv').read_text().splitlines()) == 1 + 20 * 3
    assert 'linear/top1' in typed('evaluate', 'run', '--data', birds)
    assert 'differs by at most 0 ' in typed('export', 'run', '--to', 'safetensors', '--out', 'exported')
    several = typed('export', 'run', '--to', 'safetensors', '--to', 'mmpretrain', '--out', 'several')
    assert several.count('differs by') == 2
    assert sorted(path.name for path in (tmp_path / 'several').iterdir()) == ['mmpretrain', 'safetensors']
    with pytest.raises(UserError, match='int8 is for the target onnx'):
        typed('export', 'run', '--to', 'safetensors', '--out', 'x', '--int8')
    with pytest.raises(UserError, match="no export target 'onx'; did you mean 'onnx'"):
        typed('export', 'run', '--to', 'onx', '--out', 'x')


def test_misspelt_words_are_told():
    """Commands, options and choices, with the nearest."""
    assert "No such command 'pretain'. Did you mean 'pretrain'?" in typed('pretain', code=2)
    assert '--images' in typed('pretrain', '--imges', 'x', code=2).rpartition('No such option')[2]
    assert "'ten' is neither 'auto' nor a number" in typed('pretrain', '--epochs', 'ten', code=2)
    assert "Missing option '--out'" in typed('pretrain', '--images', 'x', '--classes', 'y', code=2)
    assert 'segmentation' in typed('finetune', '--task', 'seg', code=2)


def test_mistakes_are_one_line_in_the_words_of_the_command(photos, tmp_path, monkeypatch, capsys):
    """Exit code 2, no traceback; --cfg-options and --work-dir are called otherwise here."""
    words = ['pretrain', '--images', photos, '--classes', 'a,b', '--teacher', 'shapes', '--out', tmp_path / 'run']
    assert told(monkeypatch, capsys, *words, '--epochs', 1, 'model.lgka.momentm=1').startswith(
        "error: there is no key model.lgka.momentm; did you mean 'momentum'? ")
    assert told(monkeypatch, capsys, *words, 'momentum').startswith("error: 'momentum' is no KEY=VALUE")
    few = told(monkeypatch, capsys, *words, '--epochs', 1, '--batch-size', 40, '--workers', 0)
    assert few.startswith('error: train_dataloader.dataset has 20 images, fewer than a batch of 40')
    assert few.endswith('give more images or train_dataloader.batch_size=N')
    assert not (tmp_path / 'run').exists()


def test_stopped_runs_say_how_to_go_on(monkeypatch, photos, tmp_path):
    """Ctrl-C: exit code 130."""
    def stop(**_):
        raise KeyboardInterrupt

    monkeypatch.setattr('lgd_mm.api.pretrain', stop)
    said = typed('pretrain', '--images', photos, '--classes', 'x,y', '--out', tmp_path / 'run', code=130)
    assert 'The same command with --resume (instead of --overwrite) goes on' in said


def test_choices_are_those_of_python():
    """Written down again, so that --help imports nothing."""
    known = {parameter.name: parameter.type for command in ('pretrain', 'finetune')
             for parameter in cli.commands[command].params}
    assert [tuple(known[name].choices) for name in ('task', 'amp', 'optimizer')] == [
        tuple(TASKS), ('auto', *AMP), ('auto', *OPTIMIZERS)]


def test_names_are_shown_as_they_are(monkeypatch, photos):
    """Brackets are no style, and a file's name need not be text."""
    found = Predictions(['[red]a[/b].jpg', os.fsdecode(b'\xff.jpg')], ['[/x]'], torch.ones(2, 1), torch.ones(2, 1),
                        ['c: broken'])
    monkeypatch.setattr('lgd_mm.api.zero_shot', lambda **_: found)
    monkeypatch.setattr('lgd_mm.cli.early.check_student', lambda path: None)
    said = typed('zero-shot', photos, photos)
    assert '[red]a[/b].jpg' in said and '\ufffd.jpg' in said and '[/x] 100%' in said and 'left out: c: broken' in said


def test_lists():
    """A line for each, by parts of the name or a pattern, in any case; the nearest is told."""
    assert typed('list', 'Teachers', 'vit-b-16', 'LAION').startswith('ViT-B-16/laion400m_e31')
    configs = [line.partition('/configs/')[2] for line in typed('list', 'configs', 'COCO/*').splitlines()]
    assert configs and all(name.startswith('coco/') for name in configs)
    with pytest.raises(UserError, match="none of the classes is called 'cityscape5': did you mean 'cityscapes'"):
        typed('list', 'classes', 'cityscape5')
    assert typed('list', 'teachers', 'RN50/*').split()[:6] == ['RN50/openai', '224', 'px', 'RN50/yfcc15m', '224', 'px']
    assert typed('list', 'teachers', 'shapes').startswith('shapes')
    assert 'cityscapes        19 names: road, ' in typed('list', 'classes', 'city*')
    configs = typed('list', 'configs', 'coco/mask-rcnn_').splitlines()
    assert sum(line.endswith('x_coco.py') for line in configs) == 4 and len(configs) == 6


def test_list_of_models(monkeypatch):
    """What mmpretrain's hub knows."""
    import mmpretrain
    monkeypatch.setattr(mmpretrain, 'list_models', lambda pattern: [f'lgd-resnet18 {pattern}'])
    assert typed('list', 'models') == 'lgd-resnet18 *lgd*\n'


def test_doctor(monkeypatch, tmp_path):
    """All is well here; what is not is told with its cure, and the exit code says it."""
    assert '!!' not in (well := typed('doctor')) and 'torch' in well and 'mmcv ops' in well
    monkeypatch.setattr('lgd_mm.cli.doctor.LEAST_MEMORY', 2**60)
    monkeypatch.setattr('lgd_mm.cli.doctor.FAMILIES', ('no_such_family', ))
    ill = typed('doctor', code=1)
    assert '!! import no_such_family' in ill and 'install lgd_mm again' in ill
    assert ' ! memory' in ill and '--batch-size' in ill


def test_several_processes_are_torchruns(monkeypatch):
    """The same command again, in each of them; a process of a run goes on."""
    started = []
    monkeypatch.setattr('torch.distributed.run.run', started.append)
    monkeypatch.setattr(sys, 'argv', ['lgd-mm', 'pretrain', '--gpus', '2'])
    monkeypatch.setenv('OMP_NUM_THREADS', '1')
    with pytest.raises(SystemExit) as ended:
        spread(2)
    assert ended.value.code == 0
    words, = started
    assert (words.nproc_per_node, words.module, words.training_script) == ('2', True, 'lgd_mm')
    assert words.training_script_args == ['pretrain', '--gpus', '2']
    monkeypatch.setenv('TORCHELASTIC_RUN_ID', 'x')
    spread(2)
    assert len(started) == 1
    monkeypatch.delenv('TORCHELASTIC_RUN_ID')
    monkeypatch.setattr('torch.cuda.device_count', lambda: 1)
    with pytest.raises(UserError, match='--gpus 2: this machine has 1'):
        spread(2)


@pytest.mark.slow
def test_mistakes_of_several_processes_are_one_line(photos, tmp_path):
    """Told by the first of them, without torchrun's traceback."""
    done = subprocess.run(
        [sys.executable, '-m', 'lgd_mm', 'pretrain', '--images', photos, '--classes', 'a,b', '--teacher', 'shaps',
         '--out', tmp_path / 'run', '--gpus', '2'], capture_output=True, text=True, env={**os.environ, **CPU})
    told = [line for line in done.stderr.splitlines() if line]
    assert done.returncode == 2 and len(told) == 1 and told[0].startswith("error: no teacher is called 'shaps'"), told


def test_the_package_is_light():
    """`import lgd_mm` knows the front door and imports none of it."""
    assert set(lgd_mm.FRONT_DOOR) <= set(dir(lgd_mm))
    assert lgd_mm.pretrain.__module__ == 'lgd_mm.api.pretraining'
    with pytest.raises(AttributeError, match="no attribute 'pretain'"):
        lgd_mm.pretain  # noqa: B018
