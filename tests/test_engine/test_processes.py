"""Where the processes of a run meet."""

import socket
from datetime import timedelta

import pytest
from mmengine.config import Config
from torch.distributed import TCPStore

from lgd_mm.engine.processes import _store_of_this_attempt


@pytest.fixture
def launcher(monkeypatch):
    """The store that torchrun keeps over all attempts."""
    with socket.socket() as probe:
        probe.bind(('127.0.0.1', 0))
        port = probe.getsockname()[1]
    for key, value in dict(RANK=0, WORLD_SIZE=1, MASTER_ADDR='127.0.0.1', MASTER_PORT=port,
                           TORCHELASTIC_USE_AGENT_STORE=True).items():
        monkeypatch.setenv(key, str(value))
    return TCPStore('127.0.0.1', port, is_master=True, wait_for_workers=False)


def test_each_attempt_has_a_store_of_its_own(launcher, monkeypatch):
    """And waits in it as long as the run says."""
    cfg = Config(dict(env_cfg=dict(dist_cfg=dict(timeout=7))))
    monkeypatch.setenv('TORCHELASTIC_RESTART_COUNT', '0')
    assert _store_of_this_attempt(cfg) == {}
    met = []
    for attempt in ('1', '2'):
        monkeypatch.setenv('TORCHELASTIC_RESTART_COUNT', attempt)
        met.append(_store_of_this_attempt(cfg))
    met[0]['store'].set('address', 'of before')
    assert not met[1]['store'].check(['address'])
    for each in met:
        assert each['store'].timeout == timedelta(seconds=7)
        assert (each['rank'], each['world_size']) == (0, 1)
