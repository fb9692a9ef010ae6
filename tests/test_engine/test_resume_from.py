"""Which checkpoint a run goes on from."""

import pytest
import torch

from lgd_mm.errors import UserError
from lgd_mm.runs.checkpoints import latest_checkpoint, read_training_state

HUB = dict(log_scalars={}, runtime_info={}, resumed_keys={})


def state(**changed):
    return dict(meta=dict(epoch=1, iter=5), state_dict={}, optimizer={}, message_hub=HUB) | changed


ODD = {
    'weights only': dict(state_dict={}),
    'iter as text': state(meta=dict(epoch=1, iter='5')),
    'iter as truth': state(meta=dict(epoch=1, iter=True)),
    'negative': state(meta=dict(epoch=-1, iter=5)),
    'hub without parts': state(message_hub=dict(HUB, runtime_info=[])),
}


@pytest.mark.parametrize('content', ODD.values(), ids=ODD)
def test_the_newest_that_can_be_gone_on_from(tmp_path, capsys, content):
    torch.save(state(), tmp_path / 'epoch_1.pth')
    torch.save(content, tmp_path / 'epoch_2.pth')
    (tmp_path / 'last_checkpoint').write_text('/elsewhere/epoch_2.pth')
    with pytest.raises(UserError, match=r'epoch_2\.pth cannot be resumed from, it has no '):
        read_training_state(tmp_path / 'epoch_2.pth')
    assert latest_checkpoint(str(tmp_path)) == tmp_path / 'epoch_2.pth'  # its weights are there
    assert latest_checkpoint(str(tmp_path), to_resume=True) == tmp_path / 'epoch_1.pth'
    assert 'is no checkpoint to go on from: epoch_1.pth is the newest whole checkpoint' in capsys.readouterr().out


def test_without_another_one_it_is_told_what_is_wrong(tmp_path):
    torch.save(dict(state_dict={}), tmp_path / 'epoch_2.pth')
    (tmp_path / 'last_checkpoint').write_text('epoch_2.pth')
    assert latest_checkpoint(str(tmp_path), to_resume=True) == tmp_path / 'epoch_2.pth'
