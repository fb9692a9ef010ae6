"""Suite configs: what is read, what is refused, and the plan they make."""

import os
import shutil
from pathlib import Path

import pytest

from lgd_mm.errors import UserError
from lgd_mm.suite import run
from lgd_mm.suite.config import read_suite
from lgd_mm.suite.definition import ROOT, slug
from lgd_mm.suite.plan import choose


def titles(runs):
    return [run.title for run in runs]


def test_plan_runs_what_is_needed_first(fake):
    assert titles(choose(fake.read(), seeds=[1])) == [
        'random, one, seed 1', 'LGD, pre-training, seed 1', 'LGD, one, seed 1', 'LGD, two, seed 1'
    ]
    assert len(choose(fake.read())) == 8


def test_random_weights_and_student_share_all_but_the_student(fake):
    runs = {run.title: run for run in choose(fake.read(), seeds=[0])}
    random, student = runs['random, one, seed 0'], runs['LGD, one, seed 0']
    assert (random.config, random.options) == (student.config, student.options)
    assert random.student is None and random.needs == ()
    assert student.needs == (runs['LGD, pre-training, seed 0'].work_dir, )
    assert student.student == student.needs[0] / 'student.safetensors'


def test_students_learn_from_students(fake):
    fake.settings['entries'].insert(0, fake.made('pupil', options=['teacher={student:LGD}']))
    runs = choose(fake.read(), labels=['pupil'], names=['one'], seeds=[1])
    assert titles(runs) == ['LGD, pre-training, seed 1', 'pupil, pre-training, seed 1', 'pupil, one, seed 1']
    teacher = runs[0].work_dir / 'student.safetensors'
    assert f'teacher={teacher}' in runs[1].options and teacher in runs[1].inputs
    assert runs[1].needs == (runs[0].work_dir, )


def test_a_random_row_is_random_although_its_config_began_with_a_student(fake):
    """As the config that a run leaves does."""
    (fake.folder / 'train.py').write_text(
        "model = dict(backbone=dict(type='A', init_cfg=dict(type='Pretrained', checkpoint='runs/student.pth')))\n")
    random, _, student, *_ = choose(fake.read(), seeds=[0])
    assert random.entry == 'random' and random.flags == ('--from-scratch', ) and '--from-scratch' in random.command
    assert student.student and student.flags == ()


def test_hash_is_of_no_folder(fake, monkeypatch):
    """Moved, by a link, or by a relative path: of a student that a run learns from, the content counts."""
    fake.settings['entries'].insert(0, fake.made('pupil', options=['teacher={student:LGD}']))
    (fake.folder / 'train.py').write_text(
        "model = dict(backbone=dict(init_cfg=dict(type='Pretrained', checkpoint='{{ fileDirname }}/begun.pth')))\n")
    (fake.folder / 'begun.pth').write_bytes(b'weights')

    def hash_of(folder, work_dir, content=b'student'):
        run._config_text.cache_clear()
        fake.folder = folder
        fake.settings['entries'][0]['pretrain'] = fake.settings['entries'][2]['pretrain'] = str(folder / 'train.py')
        for task in fake.settings['tasks']:
            task['config'] = str(folder / 'train.py')
        fake.settings['work_dir'] = str(work_dir)
        _, pupil, *_ = choose(fake.read(), labels=['pupil'], seeds=[0])
        assert pupil.task == 'pre-training' and str(work_dir) in ' '.join(pupil.options)
        (ROOT / pupil.inputs[-1]).parent.mkdir(parents=True, exist_ok=True)
        (ROOT / pupil.inputs[-1]).write_bytes(content)
        return pupil.hash()

    first = fake.folder
    known = hash_of(first, first / 'runs')
    assert hash_of(first, first / 'runs', b'another') != known
    shutil.copytree(first, first / 'moved/deeper')
    (first / 'link').symlink_to(first / 'moved/deeper')
    for folder in (first / 'moved/deeper', first / 'link'):
        assert hash_of(folder, folder / 'runs') == known
        assert hash_of(folder, os.path.relpath(folder / 'elsewhere', ROOT)) == known


def test_tasks_that_only_test_take_the_checkpoint(fake):
    fake.settings['tasks'][0]['test_only'] = True
    fake.settings['entries'][0]['without'] = ['one', 'two']
    *_, run = choose(fake.read(), labels=['LGD'], names=['one'], seeds=[0])
    assert run.student is None and run.checkpoint == run.needs[0]
    assert run.command[0] == 'tools/test.py'


def test_another_backbone(fake):
    """Each training takes it, a test that of its checkpoint; the runs are others than the suite's own."""
    fake.settings['tasks'][1] = fake.task('two', test_only=True)
    fake.settings['entries'] = [fake.made('LGD')]
    suite = read_suite(str(fake.path), backbone='timm/resnet10t')
    assert suite.title == 'Fake: timm/resnet10t' and suite.work_dir.name == 'runs_timm-resnet10t'
    own, other = choose(fake.read(), seeds=[0]), choose(suite, seeds=[0])
    assert [run.flags for run in other] == [('--backbone', 'timm/resnet10t')] * 2 + [('--backbone', 'checkpoint')]
    assert all(run.flags == () and run.hash() != same.hash() for run, same in zip(own, other, strict=True))
    assert read_suite(str(fake.path), None, 'here', 'timm/resnet10t').work_dir == Path('here')


def test_the_learning_rate_follows_the_gpus_if_its_batch_is_stated(fake):
    one, many = (choose(fake.read(), labels=['random'], seeds=[0], processes=count)[0] for count in (1, 2))
    assert one.flags == many.flags == () and one.hash() != many.hash()
    fake.settings['tasks'][0]['options'] = ['auto_scale_lr.base_batch_size=16']
    one, many = (choose(fake.read(), labels=['random'], seeds=[0], processes=count)[0] for count in (1, 2))
    assert one.flags == () and many.flags == ('--auto-scale-lr', ) and '--auto-scale-lr' in many.command


def test_an_entry_with_fewer_seeds(fake):
    fake.settings['entries'][1]['seeds'] = [1]
    assert {run.seed for run in choose(fake.read(), labels=['LGD'])} == {1}


@pytest.mark.parametrize('change, message', [
    (lambda s: s.pop('tasks'), 'is no suite: it has no tasks'),
    (lambda s: s['entries'].append(dict(label='lgd')), r"share the folder 'lgd' \('LGD' and 'lgd'\)"),
    (lambda s: s['entries'].append(dict(label='LGD')), r"share the folder 'lgd' \('LGD' and 'LGD'\)"),
    (lambda s: s['tasks'].append(dict(s['tasks'][0], name='pre-training')), 'share the folder'),
    (lambda s: s['entries'][0].update(without=['three']), "without 'three'; there are: one, two"),
    (lambda s: s['entries'][0].update(pretrian='x'), r"entries\[0\] has the key 'pretrian'; there are: label"),
    (lambda s: s['entries'][1].update(pretrain='gone.py'), r'entries\[1\].pretrain: gone.py does not exist'),
    (lambda s: s['entries'][1].update(student='s.pth'), 'both pretrain and student'),
    (lambda s: s['entries'][1].update(options=['a={student:CLIP}']), "the student of 'CLIP'; there are: none"),
    (lambda s: s['entries'][1].update(seeds=[7]), 'has seeds 7; there are: 0, 1'),
    (lambda s: s['tasks'][1].pop('metrics'), r'tasks\[1\] has no metrics'),
    (lambda s: s['tasks'][0].update(options=['noequals']), r"tasks\[0\].options: 'noequals' is no KEY=VALUE"),
    (lambda s: s['entries'][1].update(options=['a=[1,(2]']), r"entries\[1\].options: 'a=\[1,\(2\]' is no KEY=VALUE"),
    (lambda s: s.update(shapes_kind='hard'), "shapes_kind is 'hard'; there are: shapes, harder"),
    (lambda s: s.update(seeds=[0, 0]), 'seeds is .0, 0.: it must be a list of different whole numbers'),
    (lambda s: s.update(seeds=[]), 'seeds is ..: it must be'),
    (lambda s: s.update(seeds=0), 'seeds is 0: it must be a list'),
    (lambda s: s['entries'][1].update(seeds=0), r'entries\[1\].seeds is 0: it must be a list'),
    (lambda s: s['entries'][1].update(seeds=()), r'entries\[1\].seeds is \(\): it must be a list'),
    (lambda s: s.update(entries=dict(label='LGD')), "entries is .'label': 'LGD'.: it must be a list of dicts"),
    (lambda s: s['entries'][1].update(label=34), r'entries\[1\].label is 34: it must be a string'),
    (lambda s: s['entries'][1].update(label='δ'), "entry 'δ' gives its folder no name"),
    (lambda s: s['entries'][1].update(label='..'), "entry '..' gives its folder no name"),
    (lambda s: s['entries'][1].update(options='a.b=2'), r"entries\[1\].options is 'a.b=2': it must be a list"),
    (lambda s: s['tasks'][1].update(inputs='a.json'), r"tasks\[1\].inputs is 'a.json': it must be a list of strings"),
    (lambda s: s['tasks'][1].update(metrics=['mIoU']), r"tasks\[1\].metrics is \['mIoU'\]: it must be a dict"),
    (lambda s: s['tasks'][1].update(metrics=dict(mIoU=100)), r"tasks\[1\].metrics\['mIoU'\] is 100: it must be a"),
    (lambda s: s['tasks'][1].update(metrics=dict(mIoU=dict(scale=100))), r"metrics\['mIoU'\] has no title"),
    (lambda s: s['tasks'][1].update(metrics=dict(mIoU=dict(head='x'))), "has the key 'head'; there are: key, title"),
    (lambda s: s['tasks'][1].update(metrics=dict(mIoU=dict(title='x', better='max'))),
     r"metrics\['mIoU'\].better is 'max': it must be 'higher' or 'lower'"),
    (lambda s: s['tasks'][0].update(test_only=True), "'random' has neither pretrain nor student, and task 'one' only"),
    (lambda s: s['entries'].extend([dict(s['entries'][1], label='A', options=['a={student:B}']),
                                    dict(s['entries'][1], label='B', options=['a={student:A}'])]),
     'made from each other .[AB] from [AB] from [AB].'),
])
def test_mistakes_in_the_config(fake, change, message):
    change(fake.settings)
    with pytest.raises(UserError, match=message):
        fake.read()


@pytest.mark.parametrize('chosen, message', [
    (dict(labels=['lgd']), "suite fake_suite has no entry 'lgd'; there are: random, LGD"),
    (dict(names=['three']), "has no task 'three'; there are: one, two"),
    (dict(seeds=[5]), 'has no seed 5; there are: 0, 1'),
])
def test_unknown_parts(fake, chosen, message):
    with pytest.raises(UserError, match=message):
        choose(fake.read(), **chosen)


@pytest.mark.parametrize(
    'name', ['suite', 'quickstart', 'text_control', 'ablation', 'cache_precision', 'dense', 'dense_cached',
             'dense_search', 'harder', 'probes', 'readme'])
def test_shipped_suites(name):
    """They read, every config they name has the metrics' evaluator, and every run has its own folder."""
    suite = read_suite(str(ROOT / f'configs/shapes/{name}.py'))
    runs = choose(suite)
    assert len({run.work_dir for run in runs}) == len(runs)
    folder, kind = dict(harder=('harder', 'harder')).get(name, ('quickstart', 'shapes'))
    assert (suite.shapes_world, suite.shapes_kind) == (Path('work_dirs', folder, 'data'), kind)
    if name == 'suite':
        assert [entry.label for entry in suite.entries][:4] == ['random weights', 'mimicking', 'SEED', 'LGD']
        assert suite.seeds == (0, 1, 2)


def test_slug():
    assert slug('SEED, SimCLR teacher') == 'seed-simclr-teacher' and slug('alpha 0.25') == 'alpha-0.25'


def test_a_task_may_test_the_network_of_another(fake) -> None:
    fake.settings['tasks'].append(fake.task('one, corrupted', of='one', options=['a=1']))
    suite = fake.read()
    assert suite.tasks[2].test_only and suite.tasks[2].of == 'one'
    runs = {run.title: run for run in choose(suite)}
    tested, trained = runs['random, one, corrupted, seed 1'], runs['random, one, seed 1']
    assert tested.checkpoint == trained.work_dir and tested.needs == (trained.work_dir, )
    assert tested.command[:3] == ['tools/test.py', str(fake.folder / 'train.py'), str(trained.work_dir)]
    assert list(runs).index(trained.title) < list(runs).index(tested.title)
    alone = choose(suite, ['LGD'], ['one, corrupted'], [0])
    assert [run.task for run in alone] == ['pre-training', 'one', 'one, corrupted']  # the network has to be made


def test_a_task_may_be_the_test_of_the_pretraining_itself(fake) -> None:
    own = dict(name='own', of='pre-training', options=['b=2'], metrics={'accuracy': 'top-1'})
    fake.settings['tasks'] = [own]
    fake.settings['entries'] = [fake.made('LGD', options=['a=1']), fake.made('pupil', options=['t={student:LGD}'])]
    runs = {run.title: run for run in choose(fake.read(), seeds=[1])}
    trained, tested = runs['LGD, pre-training, seed 1'], runs['LGD, own, seed 1']
    assert tested.config == trained.config and tested.checkpoint == trained.work_dir == tested.needs[0]
    assert tested.options == ('randomness.seed=1', 'a=1', 'b=2') and tested.command[0] == 'tools/test.py'
    assert f't={trained.work_dir}/student.safetensors' in runs['pupil, own, seed 1'].options
    other = {run.title: run for run in choose(read_suite(str(fake.path), backbone='timm/resnet10t'), seeds=[1])}
    assert other['LGD, own, seed 1'].flags == ('--backbone', 'checkpoint')
    fake.settings['tasks'][0] = dict(own, config='train.py')
    with pytest.raises(UserError, match='has both config and of'):
        fake.read()
    fake.settings['tasks'][0] = own
    fake.settings['entries'].append(dict(label='random'))
    with pytest.raises(UserError, match="'random' has neither pretrain nor student, and task 'own' only tests"):
        fake.read()


def test_of_two_such_networks_a_suite_names_one(fake) -> None:
    fake.settings['tasks'] = [dict(task='shapes/mask-rcnn', name='short'), dict(task='shapes/mask-rcnn', name='long'),
                              'shapes/mask-rcnn-corrupted']
    fake.settings['entries'] = [fake.made('LGD')]
    with pytest.raises(UserError, match="the network of 'shapes/mask-rcnn', which short and long are: say the task"):
        fake.read()
    fake.settings['tasks'][2] = fake.task('corrupted', of='long')
    assert fake.read().tasks[2].of == 'long'


def test_an_entry_without_a_task_has_no_network_of_it(fake) -> None:
    fake.settings['tasks'].append(fake.task('two, corrupted', of='two'))
    suite = fake.read()
    assert suite.entries[0].without == ('two', 'two, corrupted')
    assert 'random, two, corrupted, seed 0' not in {run.title for run in choose(suite)}


@pytest.mark.parametrize('of', ['three', 'tested', 'itself'])
def test_a_network_is_that_of_a_task_that_trains(fake, of: str) -> None:
    fake.settings['entries'] = [fake.made('LGD')]
    fake.settings['tasks'] += [fake.task('tested', test_only=True), fake.task('itself', of=of)]
    with pytest.raises(UserError, match=f"task 'itself' tests the network of '{of}'; there are: one, two"):
        fake.read()
