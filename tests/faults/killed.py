"""Kill a pre-training run with SIGKILL at random moments, let it go on each time, and compare its end with a run that
nobody disturbed: python tests/faults/killed.py [--kills 50] [--processes 2 [--torchrun]] [--store [--cached]]

Half of the kills wait until a checkpoint is being written. The processes are forked from this one, so that a kill costs
seconds and not the imports; with --torchrun they are those of tools/dist_train.sh, which begins again by itself.
With --store the run that is killed reads shards in an object store, of whose answers 5 % go wrong, and the other one a
folder; with --cached both learn from a teacher cache, the former from one in the store.
"""

import argparse
import contextlib
import multiprocessing
import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import torch
from mmengine.config import Config

from lgd_mm.datasets.index import build_index
from lgd_mm.engine.fill_teacher_cache import CacheFiller
from lgd_mm.engine.launch import train
from lgd_mm.io.files import PART
from lgd_mm.io.safe_load import load_checkpoint_file
from tests.object_store import ENVIRONMENT, flaky_process, upload
from tests.tiny import ROOT, write_images, write_lgd_config, write_shards

FORK = multiprocessing.get_context('fork')  # the parent computes nothing: it has no threads to lose
PICTURES, BATCH = 40, 4


def write_run(folder: Path, epochs: int) -> Path:
    """The config of a run of ten iterations an epoch, with a checkpoint every third."""
    write_images(folder / 'pictures', PICTURES)
    return write_lgd_config(
        folder / 'config', folder / 'pictures', model=dict(backbone=dict(drop_path_rate=0.2)),
        optim_wrapper=dict(accumulative_counts=2), train_cfg=dict(max_epochs=epochs),
        default_hooks=dict(checkpoint=dict(by_epoch=False, interval=3, max_keep_ckpts=2)))


def move_to_store(folder: Path, config: Path, cached: bool, server: str) -> tuple[Path, Path]:
    """Two configs of a run: of the images here, and of the same in shards in an object store.

    Args:
        folder (Path): Of :func:`write_run`.
        config (Path): Its config.
        cached (bool): With a teacher cache, in the store as well.
        server (str): Address of the store.
    """
    write_shards(folder / 'up' / 'shards', folder / 'pictures', 10)
    build_index(folder / 'up' / 'shards', folder / 'up' / 'index')
    pipeline = Config.fromfile(config).train_dataloader.dataset.pipeline
    here, there = config.with_name('here.py'), config.with_name('there.py')
    places = {here: (folder / 'up/index', folder / 'up/shards', folder / 'cache'),
              there: ('s3://images/index', 's3://images/shards', 's3://cache')}
    for file, (index, root, _) in places.items():
        data = dict(_delete_=True, type='lgd_mm.IndexedImages', index=str(index), data_root=str(root),
                    pipeline=pipeline)
        if file == here and not cached:
            data.update(type='lgd_mm.UnlabelledImages', data_root=str(folder / 'pictures'))
            del data['index']
        file.write_text(f'_base_ = {str(config)!r}\ntrain_dataloader = dict(dataset={data})\n')
    if cached:
        CacheFiller(str(here), str(folder / 'cache'), 2).fill()
        upload(server, folder / 'cache', 'cache')
        for file, (*_, cache) in places.items():
            file.write_text(file.read_text().replace('IndexedImages', 'CachedIndexedImages').replace(
                'dict(dataset={', f"dict(sampler=dict(views=2), dataset={{'cache': '{cache}', ")
                + f"model = dict(teacher=dict(_delete_=True, type='lgd_mm.CachedTeacher', cache='{cache}'))\n")
    upload(server, folder / 'up', 'images')
    return here, there


def _train(config: Path, work_dir: Path, log: Path, processes: int, rank: int, port: int) -> None:
    with log.open('a') as stream:
        os.dup2(stream.fileno(), 1)
        os.dup2(stream.fileno(), 2)
    torch.set_num_threads(1)
    if processes > 1:
        os.environ.update(RANK=str(rank), LOCAL_RANK=str(rank), WORLD_SIZE=str(processes),
                          LOCAL_WORLD_SIZE=str(processes), MASTER_ADDR='127.0.0.1', MASTER_PORT=str(port))
    train(str(config), work_dir=str(work_dir), resume='auto', launcher='pytorch' if processes > 1 else 'none',
          cfg_options={'train_dataloader.batch_size': BATCH // processes})


def start(config: Path, work_dir: Path, log: Path, processes: int) -> list[FORK.Process]:
    """All processes of a run."""
    with socket.socket() as probe:
        probe.bind(('127.0.0.1', 0))
        port = probe.getsockname()[1]
    group = [FORK.Process(target=_train, args=(config, work_dir, log, processes, rank, port))
             for rank in range(processes)]
    for process in group:
        process.start()
    return group


def wait_for_progress(work_dir: Path, alive: Callable[[], bool], before: str) -> bool:
    """Until there is a newer checkpoint; False if the run has ended."""
    while _named(work_dir) == before:
        if not alive():
            return False
        time.sleep(0.005)
    return True


def wait_for_moment(work_dir: Path, alive: Callable[[], bool], chance: random.Random) -> str:
    """Until the moment of the kill; returns what it is."""
    if chance.random() < 0.5:
        time.sleep(chance.random())
        return 'any'
    while alive():
        if any(work_dir.glob(f'.*{PART}')):
            time.sleep(chance.random() * 0.01)
            return 'writing'
        time.sleep(0.001)
    return 'any'


def _named(work_dir: Path) -> str:
    with contextlib.suppress(FileNotFoundError):
        return (work_dir / 'last_checkpoint').read_text()
    return ''


def final_state(work_dir: Path) -> dict:
    """All of the last checkpoint that must be the same bits."""
    checkpoint = load_checkpoint_file(_named(work_dir))
    flat = {f'weights {key}': value for key, value in checkpoint['state_dict'].items()}
    for number, state in checkpoint['optimizer']['state'].items():
        flat |= {f'optimizer {number} {key}': value for key, value in state.items()}
    losses = checkpoint['message_hub']['log_scalars']['train/loss'].data[0]
    return flat | {'losses': torch.as_tensor(losses), 'iteration': torch.tensor(checkpoint['meta']['iter'])}


def kill_often(folder: Path, kills: int, processes: int, seed: int, config: Path, other: Path) -> dict[str, int]:
    """Disturb a run, and compare it with one that was not.

    Args:
        folder (Path): For both.
        kills (int): How many.
        processes (int): Of each run.
        seed (int): Decides the moments.
        config (Path): Of the run that is disturbed.
        other (Path): Of the other one.

    Returns:
        dict[str, int]: How often it was killed at which kind of moment.
    """
    chance, log = random.Random(seed), folder / 'log.txt'
    quiet, disturbed = folder / 'quiet', folder / 'disturbed'
    for process in start(other, quiet, log, processes):
        process.join()
    moments: dict[str, int] = {}
    while sum(moments.values()) < kills:
        before = _named(disturbed)
        group = start(config, disturbed, log, processes)

        def alive(group: list[FORK.Process] = group) -> bool:
            return all(process.is_alive() for process in group)

        assert wait_for_progress(disturbed, alive, before), f'the run ended before {kills} kills: see {log}'
        moment = wait_for_moment(disturbed, alive, chance)
        os.kill(chance.choice(group).pid, signal.SIGKILL)
        moments[moment] = moments.get(moment, 0) + 1
        for process in group:  # the others find out, or are killed as a launcher does it
            process.join(5)
            process.kill()
            process.join()
        print(f'{sum(moments.values())} of {kills}: killed at {_named(disturbed).rpartition("/")[2]}', flush=True)
    for process in start(config, disturbed, log, processes):
        process.join()
        assert process.exitcode == 0, f'the run did not end: see {log}'
    assert_same_bits(disturbed, quiet)
    return moments


def lose_often(folder: Path, kills: int, seed: int, epochs: int) -> dict[str, int]:
    """Kill one of the two processes of ``tools/dist_train.sh`` again and again, which begins again each time.

    Returns:
        dict[str, int]: How often it was killed at which kind of moment.
    """
    chance = random.Random(seed)
    config, log = write_run(folder, epochs), folder / 'log.txt'
    quiet, disturbed = folder / 'quiet', folder / 'disturbed'
    for process in start(config, quiet, log, 2):
        process.join()
    environment = dict(os.environ, MAX_RESTARTS=str(kills), CUDA_VISIBLE_DEVICES='', PYTHON=sys.executable)
    moments: dict[str, int] = {}
    with log.open('a') as stream:
        launcher = subprocess.Popen(
            ['bash', str(ROOT / 'tools/dist_train.sh'), str(config), '2', '--work-dir', str(disturbed), '--cfg-options',
             f'train_dataloader.batch_size={BATCH // 2}'], stdout=stream, stderr=stream, env=environment)

        def alive() -> bool:
            return launcher.poll() is None

        while sum(moments.values()) < kills:
            before = _named(disturbed)
            assert wait_for_progress(disturbed, alive, before), f'the run ended before {kills} kills: see {log}'
            moment = wait_for_moment(disturbed, alive, chance)
            workers = Path(f'/proc/{launcher.pid}/task/{launcher.pid}/children').read_text().split()
            os.kill(int(chance.choice(workers)), signal.SIGKILL)
            moments[moment] = moments.get(moment, 0) + 1
            print(f'{sum(moments.values())} of {kills}: lost at {_named(disturbed).rpartition("/")[2]}', flush=True)
        assert launcher.wait() == 0, f'the run did not end: see {log}'
    assert_same_bits(disturbed, quiet)
    return moments


def assert_same_bits(disturbed: Path, quiet: Path) -> None:
    """Weights, optimiser, losses and iteration of two runs."""
    found, expected = final_state(disturbed), final_state(quiet)
    assert found.keys() == expected.keys()
    different = [key for key, value in expected.items() if not torch.equal(found[key], value)]
    assert not different, f'other bits than undisturbed: {different[:5]}'


def main() -> None:
    """Report the moments and that the bits are the same."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--kills', type=int, default=50)
    parser.add_argument('--processes', type=int, default=1)
    parser.add_argument('--torchrun', action='store_true', help='two processes, begun by tools/dist_train.sh')
    parser.add_argument('--seed', type=int, default=0)
    parser.add_argument('--epochs', type=int, default=100, help='ten iterations each')
    parser.add_argument('--store', action='store_true', help='from shards in an object store that often fails')
    parser.add_argument('--cached', action='store_true', help='and from a teacher cache there')
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folder = Path(name)
        if args.torchrun:
            moments = lose_often(folder, args.kills, args.seed, args.epochs)
        else:
            here = there = write_run(folder, args.epochs)
            if args.store:
                server, way = stack.enter_context(flaky_process(0.05))
                os.environ.update(ENVIRONMENT, AWS_ENDPOINT_URL=way, LGD_CACHE_DIR=str(folder / 'copies'))
                here, there = move_to_store(folder, here, args.cached, server)
            moments = kill_often(folder, args.kills, args.processes, args.seed, there, here)
    which = 'torchrun' if args.torchrun else f'{args.processes} process(es)'
    which += ', from a flaky store' * args.store + ' and a cache there' * args.cached
    print(f'{args.kills} kills ({moments}), {which}: the same bits as undisturbed')


if __name__ == '__main__':
    sys.exit(main())
