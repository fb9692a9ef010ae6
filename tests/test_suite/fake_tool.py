"""Stands in for tools/train.py and tools/test.py: writes what they would, in a hundredth of the time."""

import json
import sys
import time
from pathlib import Path

arguments = sys.argv[1:]
work_dir = Path(arguments[arguments.index('--work-dir') + 1])
options = dict(option.split('=', 1) for option in arguments if '=' in option)
seed = int(options['randomness.seed'])
if options.get('fail') == str(seed):
    print('line before')
    sys.exit('error: the student does not fit')
if options.get('end') == 'ranks':
    print('error: the images are gone\n' + 20 * 'torchrun says more\n')
    sys.exit(1)
for step in range(2):
    print(f'INFO - Iter(train) [{step + 1}/2]  lr: 1e-3  loss: {2 - step}.5', flush=True)
    time.sleep(float(options.get('pause', 0)))
folder = work_dir / '20260101_000000' / 'vis_data'
folder.mkdir(parents=True, exist_ok=True)
lines = [dict(loss=1.5, step=2, time=0.25, memory=0), {'accuracy/top1': 50.0 + seed, 'step': 2}]
if 'top1' in options and seed == 1:
    lines[1]['accuracy/top1'] = json.loads(options['top1'])
scalars = [options['scalars']] if 'scalars' in options else map(json.dumps, lines)
(folder / 'scalars.json').write_text(''.join(f'{line}\n' for line in scalars))
if 'gpu' in options:
    (folder.parent / '20260101_000000.log').write_text(f'    CUDA available: True\n    GPU 0,1: {options["gpu"]}\n')
(work_dir / 'student.safetensors').write_bytes(b'student %d' % seed)
(work_dir / 'iter_2.pth').write_bytes((2).to_bytes(8, 'little') + b'{}')  # a whole file of no tensors, without torch
(work_dir / 'last_checkpoint').write_text(str(work_dir / 'iter_2.pth'))
