"""lgd-mm as it is typed, in this process."""

import sys
from types import ModuleType

import pytest
from click.testing import CliRunner

import lgd_mm
from lgd_mm.cli import cli, main
from lgd_mm.cli.spread import spread
from lgd_mm.errors import UserError
from tests.test_api.conftest import NAMES, SLIM


def typed(*words: object, code: int = 0) -> str:
    """The output of a command."""
    done = CliRunner().invoke(cli, [str(word) for word in words], prog_name='lgd-mm', catch_exceptions=False)
    assert done.exit_code == code, done.output
    return done.output


def told(monkeypatch, capsys, *words: object) -> str:
    """The one line that main() prints of a mistake."""
    monkeypatch.setattr(sys, 'argv', ['lgd-mm', *map(str, words)])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    lines = capsys.readouterr().err.strip().splitlines()
    return lines[-1]


@pytest.mark.parametrize('command', [[], ['pretrain'], ['finetune'], ['zero-shot'], ['evaluate'], ['export'], ['list']])
def test_help_has_examples(command):
    """Lines that can be typed as they stand: their options exist."""
    help_text = typed(*command, '--help')
    examples = [line.split()[1:] for line in help_text.splitlines() if line.strip().startswith('lgd-mm ')]
    assert examples
    for name, *words in examples:
        known = {option for parameter in cli.commands[name].params for option in parameter.opts}
        assert {word for word in words if word.startswith('--')} <= known


def test_from_pictures_to_predictions(photos, birds, tmp_path, monkeypatch):
    """The path of a new user."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / 'names.txt').write_text('\n'.join(NAMES))
    (tmp_path / 'templates.txt').write_text('a {}.\n')
    said = typed('pretrain', '--images', photos, '--classes', 'names.txt', '--teacher', 'shapes', '--out', 'run',
                 '--epochs', 1, '--templates', 'templates.txt', '--workers', 0,
                 *(f'{key}={value}' for key, value in SLIM.items()))
    assert 'next:       lgd-mm zero-shot run PICTURES' in said and 'student:    run/student.safetensors' in said
    assert typed('zero-shot', 'run', photos, '--out', 'found.csv') == 'found.csv: 20 pictures, 3 names\n'
    assert len((tmp_path / 'found.csv').read_text().splitlines()) == 1 + 20 * 3
    assert 'linear/top1' in typed('evaluate', 'run', '--data', birds)
    exported = []
    exports = ModuleType('lgd_mm.exports')
    exports.TARGETS = ('onnx', 'timm')
    exports.export_student = lambda *args, **options: exported.append((*args, options)) or 'the report'
    monkeypatch.setitem(sys.modules, 'lgd_mm.exports', exports)
    assert typed('export', 'run', '--to', 'onnx', '--out', 'onnx', '--int8') == 'the report\n'
    (file, target, out, options), = exported
    assert (file.name, target, out, options) == ('epoch_1.pth', 'onnx', 'onnx', dict(int8=True))
    with pytest.raises(UserError, match="no target is called 'onx'; did you mean 'onnx'"):
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
    assert few.startswith('error: train_dataloader.dataset has 20 pictures, fewer than a batch of 40')
    assert few.endswith('give more pictures or train_dataloader.batch_size=N')
    assert not (tmp_path / 'run').exists()


def test_stopped_runs_say_how_to_go_on(monkeypatch):
    """Ctrl-C: exit code 130."""
    def stop(**_):
        raise KeyboardInterrupt

    monkeypatch.setattr('lgd_mm.api.pretrain', stop)
    said = typed('pretrain', '--images', 'x', '--classes', 'y', '--out', 'z', code=130)
    assert 'The same command with --resume goes on' in said


def test_lists():
    """A line for each, by a part of the name or a pattern."""
    assert typed('list', 'students', 'mobilenetv2').splitlines()[0].split() == [
        'mobilenetv2', 'lgd/mobilenetv2_pretrain.py']
    assert typed('list', 'teachers', 'RN50/*').split() == ['RN50/openai', '224', 'px', 'RN50/yfcc15m', '224', 'px']
    assert typed('list', 'teachers', 'shapes').startswith('shapes')
    assert 'cityscapes        19 names: road, ' in typed('list', 'classes', 'city*')
    configs = typed('list', 'configs', 'coco/mask-rcnn').splitlines()
    assert len(configs) == 4 and all(line.endswith('_coco.py') for line in configs)


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
    monkeypatch.setattr('os.execv', lambda program, words: started.append(words))
    monkeypatch.setattr(sys, 'argv', ['lgd-mm', 'pretrain', '--gpus', '2'])
    monkeypatch.setenv('OMP_NUM_THREADS', '1')
    spread(2)
    assert started[0][1:5] == ['-m', 'torch.distributed.run', '--nproc_per_node', '2']
    assert started[0][-5:] == ['-m', 'lgd_mm', 'pretrain', '--gpus', '2']
    monkeypatch.setenv('TORCHELASTIC_RUN_ID', 'x')
    spread(2)
    assert len(started) == 1
    monkeypatch.delenv('TORCHELASTIC_RUN_ID')
    monkeypatch.setattr('torch.cuda.device_count', lambda: 1)
    with pytest.raises(UserError, match='--gpus 2: this machine has 1'):
        spread(2)


def test_the_package_is_light():
    """`import lgd_mm` knows the front door and imports none of it."""
    assert set(lgd_mm.FRONT_DOOR) <= set(dir(lgd_mm))
    assert lgd_mm.pretrain.__module__ == 'lgd_mm.api.pretraining'
    with pytest.raises(AttributeError, match="no attribute 'pretain'"):
        lgd_mm.pretain  # noqa: B018
