"""The table, written and read."""

from lgd_mm.student_table import StudentRow, read_table, write_table

PYRAMID = StudentRow('timm/b', 1_234_567, 224, False, (4, 8, 16, 32), (48, 96, 192, 288), 'NHWC')
PLAIN = StudentRow('timm/a', 5_524_416, 384, True, (), (), '')


def test_a_table_is_read_as_it_was_written(tmp_path):
    write_table('1.0.31', [PYRAMID, PLAIN], tmp_path / 'students.csv')
    assert read_table(tmp_path / 'students.csv') == ('1.0.31', [PLAIN, PYRAMID])
    assert (tmp_path / 'students.csv').read_text(encoding='utf-8').splitlines()[1:] == [
        'name,parameters,size,only,strides,channels,layout', 'timm/a,5524416,384,yes,,,',
        'timm/b,1234567,224,,4 8 16 32,48 96 192 288,NHWC']
