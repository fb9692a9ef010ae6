"""An index of models reads metafiles below its folder, once, and nothing else."""

import os

import pytest
import yaml

from lgd_mm.errors import UserError
from lgd_mm.zoo.index import known_models, read_index, zoo_folder

MODEL = dict(Models=[dict(Name='a', Config='a.py', Metadata={}, Results=None)])


def write(folder, index, **metafiles):
    for name, content in dict(metafiles, index=index).items():
        path = folder / ('model-index.yml' if name == 'index' else f'{name}/metafile.yml')
        path.parent.mkdir(exist_ok=True, parents=True)
        path.write_text(content if isinstance(content, str) else yaml.safe_dump(content))
    return folder / 'model-index.yml'


def laughs(levels=9):
    return 'a0: &a0 [x, x]\n' + ''.join(f'a{n}: &a{n} [{", ".join([f"*a{n - 1}"] * 9)}]\n' for n in range(1, levels))


def merges(levels=9):
    return 'a0: &a0 {x: 1}\n' + ''.join(
        f'a{n}: &a{n}\n  <<: [{", ".join([f"*a{n - 1}"] * 9)}]\n' for n in range(1, levels))


def test_metafiles_below_it(tmp_path):
    for imported in ('one/metafile.yml', '*/metafile.yml'):
        assert [model.name for model in read_index(write(tmp_path, dict(Import=[imported]), one=MODEL))] == ['a']


@pytest.mark.parametrize(('index', 'sentence'), [
    (dict(Import=['model-index.yml']), 'imports .*model-index.yml, which imports other files'),
    (dict(Import=['two/metafile.yml']), 'imports .*two/metafile.yml, which imports other files'),
    (dict(Import=['*/*.yml']), 'which imports other files'), (dict(Import=['../metafile.yml']), 'not below its folder'),
    (dict(Import=['/etc/passwd']), 'not below its folder'), (dict(Models='../a.yml'), 'not below its folder'),
    (dict(Library='/dev/zero'), 'not below its folder'), (dict(Import=['**/*.yml']), 'not below its folder'),
    (dict(Import=['link.yml']), 'leads out of its folder'),
    (dict(Import=['pipe.yml']), 'pipe.yml cannot be read .it is a pipe'),
    (laughs(), 'repeats itself more than 1,000,000 times'), (merges(), 'it merges mappings'),
    ('a: &a [*a]\n', 'repeats itself'), ('[' * 20_000, 'cannot be read'), ('a: ' + '1' * 5000, 'cannot be read'),
    ('x' * (2**22 + 1), 'are the most that are read')])
def test_what_an_index_may_not_do(tmp_path, index, sentence):
    zoo = tmp_path / 'zoo'
    file = write(zoo, index, one=MODEL, two=dict(Import=['../one/metafile.yml'], **MODEL))
    (tmp_path / 'metafile.yml').write_text(yaml.safe_dump(MODEL))
    (zoo / 'link.yml').symlink_to('../metafile.yml')
    os.mkfifo(zoo / 'pipe.yml')
    with pytest.raises(UserError, match=sentence):
        read_index(file)


def test_a_zoo_that_imports_itself_is_left_out(tmp_path, monkeypatch):
    monkeypatch.setenv('LGD_ZOO_DIR', str(tmp_path))
    write(zoo_folder(), dict(Import=['model-index.yml']))
    with pytest.warns(UserWarning, match='the local zoo is left out: .* imports other files'):
        assert known_models()
