"""Bodies of hostile requests."""

from __future__ import annotations

JSON_VALUES = (
    *(b"null", b"true", b"1e400", b"-1e400", b"NaN", b"Infinity", b"9" * 400, b"-0", b"0.1e-400", b'""', b'"\\u0000"'),
    *(
        b'"\\ud800"',
        b'"\\udc00\\ud800"',
        b"[]",
        b"{}",
        b"[[]]",
        b'{"": null}',
        b'"\xff"',
        b'"\xed\xa0\x80"',
        b"9223372036854775807",
    ),
    *(
        b"9223372036854775808",
        b"1.7976931348623157e308",
        b'"' + b"x" * 10_000 + b'"',
        b"[" + b"1," * 2000 + b"1]",
        b'["\\u0000"]',
    ),
    *(
        b'"9999-12-31T23:59:59.999999-23:59"',
        b'"0001-01-01"',
        b'"00000000-0000-0000-0000-000000000000"',
        b'"\\ufeff"',
        b'" "',
    ),
    *(
        b'"http://[::1"',
        b'"https://\\u0000"',
        b'"a@b"',
        b'[{"id": "x"}]',
        b'{"a": {"b": {"c": []}}}',
        b"0x10",
        b"01",
        b"'a'",
    ),
)
BODIES = {
    "no body": b"",
    "half of an object": b'{"a": ',
    "two values": b"{} {}",
    "null": b"null",
    "a list": b"[]",
    "a list of lists": b"[[[]]]",
    "a text": b'"text"',
    "a number": b"1",
    "a name twice": b'{"name": "a", "name": {"name": 1}, "events": [], "events": "x"}',
    "no name": b'{"": {"": ""}}',
    "deep lists": b"[" * 100_000 + b"]" * 100_000,
    "deep objects": b'{"a":' * 50_000 + b"1" + b"}" * 50_000,
    "33 levels": b'{"a":' * 33 + b"1" + b"}" * 33,
    "a byte order mark": b"\xef\xbb\xbf{}",
    "UTF-16": "{}".encode("utf-16"),
    "no UTF-8": b'{"name": "\xff"}',
    "a surrogate": b'{"name": "\\ud800"}',
    "a surrogate in a name": b'{"\\udfff": 1}',
    "NUL in a name": b'{"\\u0000": 1}',
    "a raw NUL": b'{"name": "\x00"}',
    "a huge number": b'{"name": ' + b"9" * 5000 + b"}",
    "NaN": b'{"name": NaN}',
    "3 MB": b'{"name": "' + b"x" * 3_000_000 + b'"}',
    "many names": b"{" + b",".join(b'"k%d": 1' % n for n in range(20_000)) + b"}",
    "a form": b"name=a&name=b&%ff=%00",
    "bytes": bytes(range(256)),
    "white space": b" \r\n\t" * 100,
    "__proto__": b'{"__proto__": {"a": 1}, "constructor": "x", "pk": 1, "workspace": 1, "id": "x"}',
}
FILE = (
    b'Content-Disposition: form-data; name="file"; filename="a.pdf"\r\n'
    b"Content-Type: application/pdf\r\n\r\n%PDF-1.7\r\n"
)
PARTS = {
    "a file": b"--limit\r\n" + FILE + b"--limit--\r\n",
    "a file without an end": b"--limit\r\n" + FILE,
    "two files": (b"--limit\r\n" + FILE) * 2 + b"--limit--\r\n",
    "no part": b"--limit--\r\n",
    "a part without headers": b"--limit\r\n\r\nx\r\n--limit--\r\n",
    "a part without a name": b"--limit\r\nContent-Disposition: form-data\r\n\r\nx\r\n--limit--\r\n",
    "a field, no file": b'--limit\r\nContent-Disposition: form-data; name="file"\r\n\r\nx\r\n--limit--\r\n',
    "an empty file": b"--limit\r\n" + FILE.replace(b"%PDF-1.7", b"") + b"--limit--\r\n",
    "a file name with a path": b"--limit\r\n" + FILE.replace(b"a.pdf", b"../../etc/passwd.pdf") + b"--limit--\r\n",
    "a file name with NUL": b"--limit\r\n" + FILE.replace(b"a.pdf", b"a\x00.pdf") + b"--limit--\r\n",
    "a file name that is no UTF-8": b"--limit\r\n" + FILE.replace(b"a.pdf", b"\xff\xfe.pdf") + b"--limit--\r\n",
    "a coded file name": b"--limit\r\n"
    + FILE.replace(b'filename="a.pdf"', b"filename*=utf-7''%ff.pdf")
    + b"--limit--\r\n",
    "a coded surrogate": b"--limit\r\n"
    + FILE.replace(b'filename="a.pdf"', b"filename*=utf-8''%ed%a0%80.pdf")
    + b"--limit--\r\n",
    "a long file name": b"--limit\r\n" + FILE.replace(b"a.pdf", b"a" * 5000 + b".pdf") + b"--limit--\r\n",
    "a type with NUL": b"--limit\r\n" + FILE.replace(b"application/pdf", b"application/\x00pdf") + b"--limit--\r\n",
    "a long type": b"--limit\r\n" + FILE.replace(b"application/pdf", b"application/" + b"p" * 3000) + b"--limit--\r\n",
    "a charset": b"--limit\r\n" + FILE.replace(b"application/pdf", b"application/pdf; charset=\xff") + b"--limit--\r\n",
    "broken base64": b"--limit\r\nContent-Transfer-Encoding: base64\r\n" + FILE + b"--limit--\r\n",
    "many fields": b"".join(
        b'--limit\r\nContent-Disposition: form-data; name="f%d"\r\n\r\n1\r\n' % n for n in range(3000)
    )
    + b"--limit--\r\n",
}
