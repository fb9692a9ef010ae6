"""A finished run becomes a model that get_model knows by name; an unfinished or damaged one does not."""

import shutil

import mmpretrain
import pytest
import torch
import yaml

from lgd_mm.errors import UserError
from lgd_mm.io.digests import file_digest
from lgd_mm.io.safe_load import load_checkpoint_file
from lgd_mm.students import read_student, write_student
from lgd_mm.zoo import add as add_module
from lgd_mm.zoo.add import add_run
from lgd_mm.zoo.finished import read_run
from tests.own_sets import CLASSES
from tests.tiny import SIDE, run_tool


def files(folder):
    return sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []


def entries(folder):
    return yaml.safe_load((folder / 'metafile.yml').read_text())['Models']


def test_pretraining(pretrained, own_zoo):
    headless, zero_shot = add_run(pretrained)
    assert (headless.name, zero_shot.name) == ('tiny-run_headless', 'tiny-run_zero-shot')
    assert mmpretrain.list_models('tiny-run') == [headless.name, zero_shot.name]
    theirs = load_checkpoint_file(pretrained / 'epoch_1.pth')['state_dict']
    model = mmpretrain.get_model(headless.name, pretrained=True)
    assert torch.equal(model.backbone.conv1.weight, theirs['backbone.conv1.weight'])
    model = mmpretrain.get_model(zero_shot.name, pretrained=True)
    assert torch.equal(model.textual_bank, theirs['lgka.textual_bank'])
    assert model.names == ('cat', 'dog', 'bicycle', 'tree')
    entry = entries(own_zoo / 'tiny-run')[1]
    assert entry['Results'] is None  # it was not validated
    assert entry['Metadata']['SHA256'] == file_digest(zero_shot.weights)
    assert zero_shot.weights.stem.endswith(entry['Metadata']['SHA256'][:8])
    assert entry['Metadata']['Parameters'] == sum(value.numel() for value in model.parameters())
    assert files(own_zoo) == ['model-index.yml', 'tiny-run']  # nothing half-written


@pytest.mark.parametrize('image_size, wanted', [(64, (73, 64)), (None, (256, 224))])
def test_images_have_the_size_of_the_training(pretrained, tmp_path, image_size, wanted):
    weights, known = read_student(pretrained / 'student.safetensors')
    assert known['image_size'] == SIDE
    write_student(weights, {**known, 'image_size': image_size}, tmp_path / 'student')
    (model, ) = read_run(tmp_path, 'small')
    steps = model.config['test_dataloader']['dataset']['pipeline']
    assert (steps[1]['scale'], steps[2]['crop_size']) == wanted


def test_a_zoo_may_move(pretrained, own_zoo, tmp_path, monkeypatch):
    add_run(pretrained, name='kept')
    own_zoo.rename(tmp_path / 'moved')
    assert mmpretrain.list_models('kept') == []
    monkeypatch.setenv('LGD_ZOO_DIR', str(tmp_path / 'moved'))
    assert mmpretrain.get_model('kept_headless', pretrained=True).backbone.depth == 18


def test_downstream_runs_of_every_library(classifier, detector, segmenter, own_zoo):
    """``get_model`` builds them in mmpretrain's scope; their weights are all there, and their classes too."""
    wanted = dict(probe=(classifier, 'LinearProbe', 'accuracy/top1'), nuts=(detector, 'FasterRCNN', 'coco/bbox_mAP'),
                  masks=(segmenter, 'EncoderDecoder', 'mIoU'))
    for name, (run, kind, metric) in wanted.items():
        (added, ) = add_run(run)
        model = mmpretrain.get_model(name, pretrained=True)
        stored = load_checkpoint_file(added.weights)
        assert type(model).__name__ == kind and 'optimizer' not in stored
        assert all(torch.equal(value, stored['state_dict'][key]) for key, value in model.state_dict().items())
        (entry, ) = entries(own_zoo / name)
        assert metric in entry['Results'][0]['Metrics'] and min(entry['Results'][0]['Metrics'].values()) >= 0
        assert str(run.parent) not in str(model._config.model)  # no path of the student it began from
    assert mmpretrain.list_models('probe', task='Image Classification') == ['probe']
    assert model._dataset_meta['classes'] == ('ground', *CLASSES)


def test_the_tool_needs_nothing_that_training_has_imported(segmenter, own_zoo):
    """The segmentor's parts are found by its custom_imports."""
    done = run_tool('tools/add_to_zoo.py', segmenter, '--name', 'ground', '--zoo', own_zoo / 'other')
    assert done.returncode == 0, done.stderr[-3000:]
    (weights, ) = (own_zoo / 'other/ground').glob('ground-*.pth')
    assert done.stdout.splitlines()[-2:] == [f'ground: {weights}', 'to have get_model find it: export LGD_ZOO_DIR='
                                             f'{own_zoo / "other"}']


def test_a_model_of_unknown_code(classifier, own_zoo, tmp_path):
    checkpoint = load_checkpoint_file(classifier / 'epoch_1.pth')
    checkpoint['meta']['cfg'] = checkpoint['meta']['cfg'].replace('lgd_mm.LinearProbe', 'my_own.Probe')
    torch.save(checkpoint, tmp_path / 'epoch_1.pth')
    (tmp_path / 'last_checkpoint').write_text(str(tmp_path / 'epoch_1.pth'))
    with pytest.raises(UserError, match=r"epoch_1.pth: model.type is 'my_own.Probe', which is not in the list"):
        add_run(tmp_path, name='probe')
    assert files(own_zoo) == []


def test_names(pretrained, own_zoo):
    add_run(pretrained, name='one')
    with pytest.raises(UserError, match='one.* is the name of another model .*: give another --name, or remove'):
        add_run(pretrained, name='one')
    with pytest.raises(UserError, match="--name 'My Model': a name in the zoo has small letters"):
        add_run(pretrained, name='My Model')
    with pytest.raises(UserError, match='lgd-resnet18_headless is the name of another model'):
        add_run(pretrained, name='lgd-resnet18')
    assert files(own_zoo) == ['model-index.yml', 'one']


def test_several_students_of_one_run(pretrained, tmp_path):
    """``student_NAME.safetensors`` with ``NAME.pth`` beside it."""
    run = tmp_path / 'both'
    run.mkdir()
    for name in ('a', 'b'):
        shutil.copy(pretrained / 'student.safetensors', run / f'student_{name}.safetensors')
        shutil.copy(pretrained / 'epoch_1.pth', run / f'{name}.pth')
    names = ['both_a_headless', 'both_a_zero-shot', 'both_b_headless', 'both_b_zero-shot']
    assert [model.name for model in add_run(run)] == names


def test_what_is_no_finished_run(pretrained, detector, tmp_path, own_zoo):
    def copy(run, **changes):
        """The run's last checkpoint with another state."""
        folder = tmp_path / f'copy{len(list(tmp_path.iterdir()))}'
        folder.mkdir()
        checkpoint = load_checkpoint_file(run / 'epoch_1.pth')
        checkpoint['meta'].update(changes)
        torch.save(checkpoint, folder / 'epoch_1.pth')
        (folder / 'last_checkpoint').write_text(str(folder / 'epoch_1.pth'))
        return folder

    with pytest.raises(UserError, match='nowhere is no folder: name the work dir'):
        add_run(tmp_path / 'nowhere')
    (tmp_path / 'empty').mkdir()
    with pytest.raises(UserError, match='empty has no last_checkpoint: name the work dir'):
        add_run(tmp_path / 'empty')
    with pytest.raises(UserError, match='has trained 0 of 1 epochs: let it end with --resume'):
        add_run(copy(detector, epoch=0))
    with pytest.raises(UserError, match=r'has no student\.safetensors, which a pre-training ends with'):
        add_run(copy(pretrained))
    went_on = copy(pretrained, iter=9)
    shutil.copy(pretrained / 'student.safetensors', went_on)
    with pytest.raises(UserError, match='is of iteration 3 and .* of 9: the run went on after its student'):
        add_run(went_on)
    assert files(own_zoo) == []


def test_a_zoo_that_cannot_be_written_to_or_read(pretrained, tmp_path, own_zoo):
    (tmp_path / 'file').write_text('')
    with pytest.raises(UserError, match=r'file/zoo cannot be written to \(.*\): name a folder with disk space'):
        add_run(pretrained, zoo=tmp_path / 'file' / 'zoo')
    (model, _) = add_run(pretrained)
    model.weights.write_bytes(model.weights.read_bytes()[:-1])
    with pytest.raises(UserError, match=r'is not what was added \(its SHA-256 differs\)'):
        mmpretrain.get_model(model.name, pretrained=True)
    model.weights.unlink()
    with pytest.raises(UserError, match='the weights of tiny-run_headless, is gone: remove .* and add the run again'):
        mmpretrain.get_model(model.name, pretrained=True)
    (own_zoo / 'tiny-run' / 'metafile.yml').write_text('Models: [')
    with pytest.warns(UserWarning, match='the local zoo is left out: .*metafile.* cannot be read'):
        assert mmpretrain.list_models('*tiny-run*') == []
    assert mmpretrain.list_models('lgd-resnet18_headless')


@pytest.mark.parametrize('content', [b'Import: [a/metafile.yml]\n', b'', b'\xff', b'[' * 5000, b'a: *b',
                                     b'Import:\n- x\n' * 9999])
def test_an_index_of_something_else_stays(pretrained, tmp_path, content):
    (tmp_path / 'model-index.yml').write_bytes(content)
    with pytest.raises(UserError, match=r'model-index.yml is the index of something else, and would be replaced'):
        add_run(pretrained, name='new', zoo=tmp_path)
    assert (tmp_path / 'model-index.yml').read_bytes() == content and files(tmp_path) == ['model-index.yml']


def test_of_two_that_add_one_name_the_second_is_told_so(pretrained, own_zoo, monkeypatch):
    """Both have seen that it was free."""
    add = add_module._write

    def be_first(model, part):
        monkeypatch.setattr(add_module, '_write', add)
        add_run(pretrained, name='twice')
        return add(model, part)

    monkeypatch.setattr(add_module, '_write', be_first)
    with pytest.raises(UserError, match='twice is the name of another model, which was added .* give another --name'):
        add_run(pretrained, name='twice')
    assert files(own_zoo) == ['model-index.yml', 'twice']
