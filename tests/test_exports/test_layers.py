"""Weights under another library's names."""

import torch
from torch import nn

from lgd_mm.exports.layers import renamed


def test_entries_are_paired_in_order():
    ours = nn.Sequential(nn.Conv2d(3, 4, 1), nn.BatchNorm2d(4)).state_dict()
    theirs = nn.ModuleDict(dict(stem=nn.Conv2d(3, 4, 1), norm=nn.BatchNorm2d(4))).state_dict()
    found = renamed(ours, theirs)
    assert list(found) == list(theirs)
    assert torch.equal(found['stem.weight'], ours['0.weight'])
    assert torch.equal(found['norm.running_var'], ours['1.running_var'])


def test_other_layers_are_not_paired():
    ours = nn.Sequential(nn.Conv2d(3, 4, 1), nn.Conv2d(4, 4, 1)).state_dict()
    assert renamed(ours, nn.Sequential(nn.Conv2d(3, 4, 1)).state_dict()) is None
    assert renamed(ours, nn.Sequential(nn.Conv2d(3, 4, 1), nn.Conv2d(4, 4, 3)).state_dict()) is None
    assert renamed(ours, nn.Sequential(nn.Conv2d(3, 4, 1), nn.Conv2d(4, 4, 1, bias=False)).state_dict()) is None
