# What every pre-training run shares on top of mmpretrain's runtime: seeded, resumable, ending with its
# student and a report.
_base_ = 'mmpretrain::_base_/default_runtime.py'
custom_imports = dict(imports=['lgd_mm'], allow_failed_imports=False)
randomness = dict(seed=0)
default_hooks = dict(
    runtime_info=dict(type='lgd_mm.LazyRuntimeInfoHook'),
    checkpoint=dict(type='CheckpointHook', interval=1, max_keep_ckpts=3), logger=dict(type='LoggerHook', interval=50))
custom_hooks = [
    dict(type='lgd_mm.IterationSeedHook'),
    dict(type='lgd_mm.NonFiniteHook'),
    dict(type='lgd_mm.PreciseBNHook'),
    dict(type='lgd_mm.HealthHook'),
    dict(type='lgd_mm.UnreadableImagesHook'),
    dict(type='lgd_mm.ExportStudentHook'),
    dict(type='lgd_mm.ReportHook'),
]
