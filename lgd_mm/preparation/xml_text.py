"""The text of an XML file in whatever encoding it declares: expat itself knows none of more than a byte to a letter."""

import codecs
import re
from pathlib import Path

from lgd_mm.console.printable import shown
from lgd_mm.errors import UserError
from lgd_mm.io.files import read_plain

DECLARED = re.compile(rb'^\s*<\?xml[^>]*?encoding\s*=\s*["\']([\w.:-]+)["\']')
#: What a file begins with, and how it is then encoded; the longer first.
BEGINNINGS = ((codecs.BOM_UTF8, 'utf-8-sig'), (codecs.BOM_UTF32_LE, 'utf-32'), (codecs.BOM_UTF32_BE, 'utf-32'),
              (codecs.BOM_UTF16_LE, 'utf-16'), (codecs.BOM_UTF16_BE, 'utf-16'), (b'<\0', 'utf-16-le'),
              (b'\0<', 'utf-16-be'))
#: Encodings that are declared under the name of an older one that they contain.
LARGER = dict(gb2312='gb18030', gbk='gb18030', shift_jis='cp932', big5='cp950', euc_kr='cp949')
#: Python's names of encodings that files are written in. Its others run programs of escapes, take time by the square
#: of a text, or give halves of characters.
ENCODINGS = re.compile(r'ascii|utf-(8|16|32)(-sig|-[bl]e)?|iso8859-\d+|cp\d+|koi8-[rtu]|mac-\w+|gb\w+|hz|big5\w*|'
                       r'shift_jis\w*|euc_\w+|johab|iso2022_\w+|tis-620|ptcp154|kz1048|hp-roman8')
#: Bytes of a file; one image of VOC has some thousand.
LARGEST = 2**26


def read_xml_text(path: Path) -> str:
    """Read an XML file.

    Args:
        path (Path): The file.

    Returns:
        str: Its content; what its declaration says of the encoding has no meaning any more.

    Raises:
        UserError: If it is in another encoding than it declares, or in one that nobody knows.
        OSError: If it cannot be read.
    """
    content = read_plain(path, LARGEST)
    found = DECLARED.match(content)
    declared = found[1].decode() if found else 'utf-8'
    begins = next((name for begin, name in BEGINNINGS if content.startswith(begin)), None)
    try:
        encoding = begins or codecs.lookup(declared).name
        if not ENCODINGS.fullmatch(encoding):
            raise LookupError(encoding)
        if begins is None and encoding.startswith(('utf-16', 'utf-32')):  # its declaration could be read as it is
            encoding = 'utf-8'
        text = content.decode(LARGER.get(encoding, encoding))
    except LookupError:
        raise UserError(f'{path} declares the encoding {shown(declared)}, which is not known: save it as UTF-8, and '
                        'declare that') from None
    except UnicodeDecodeError as error:
        line = content.count(b'\n', 0, error.start) + 1
        raise UserError(f'{path} is not in {begins or declared}, which it {"declares" if found else "should be in"} '
                        f'(line {line}, byte 0x{content[error.start]:02x}): save it as UTF-8, or declare the encoding '
                        'that it has') from None
    if encoding in ('iso8859-1', 'cp1252') and not content.isascii() and _is_utf8(content):
        raise UserError(f'{path} declares {declared}, but it is UTF-8: correct its declaration')
    return text


def _is_utf8(content: bytes) -> bool:
    try:
        content.decode()
    except UnicodeDecodeError:
        return False
    return True
