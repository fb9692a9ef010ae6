# What every run of vision and language shares on top of mmpretrain's runtime: seeded and resumable.
_base_ = 'mmpretrain::_base_/default_runtime.py'
custom_imports = dict(imports=['lgd_mm'], allow_failed_imports=False)
randomness = dict(seed=0)
default_hooks = dict(
    runtime_info=dict(type='lgd_mm.LazyRuntimeInfoHook'),
    checkpoint=dict(type='CheckpointHook', interval=1, max_keep_ckpts=2), logger=dict(type='LoggerHook', interval=50))
custom_hooks = [
    dict(type='lgd_mm.IterationSeedHook'),
    dict(type='lgd_mm.NonFiniteHook'),
    dict(type='lgd_mm.VLFitHook'),
    dict(type='lgd_mm.ExportVLHook'),
]
