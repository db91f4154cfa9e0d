# SPDX-License-Identifier: MIT
"""Gives gimle-report damaged files: cut at every byte, with bytes changed, and noise.

Whatever it makes of them, it either shows them or says what is wrong with them.
report_fuzz.py SCRIPT FILE...
"""
import argparse
import contextlib
import importlib.machinery
import importlib.util
import io
import os
import random
import sys
import tempfile


def load_script(path):
    loader = importlib.machinery.SourceFileLoader('gimle_report', path)
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader('gimle_report', loader))
    loader.exec_module(module)
    return module


def damaged(data, rng):
    for n in range(len(data)):
        yield data[:n]
    for _ in range(600):
        b = bytearray(data)
        for _ in range(rng.randint(1, 4)):
            b[rng.randrange(len(b))] = rng.choice(b'\0\xff{}[]"=:0129n \n-.' + bytes([rng.randrange(256)]))
        yield bytes(b)
    for _ in range(200):
        a, z = sorted((rng.randrange(len(data)), rng.randrange(len(data))))
        yield data[:a] + data[z:]
        yield data[:z] + data[a:]
    yield b'{"what":' + b'[' * 100000
    yield b'time_unit: i\nsnapshot=0\nheap_tree=peak\n' + b''.join(b'%sn1: 1 x\n' % (b' ' * n) for n in range(3000))
    yield b'events: Ir\n1 ' + b'9' * 10000 + b'\nsummary: 1\n'
    for _ in range(100):
        yield rng.randbytes(rng.randint(1, 300))


def main():
    report = load_script(sys.argv[1])
    rng = random.Random(1)
    args = argparse.Namespace(top=5, source=[])
    tried = refused = 0
    with tempfile.TemporaryDirectory() as scratch:
        path = os.path.join(scratch, 'file')
        for name in sys.argv[2:]:
            with open(name, 'rb') as f:
                data = f.read()
            for bad in damaged(data, rng):
                with open(path, 'wb') as f:
                    f.write(bad)
                tried += 1
                try:
                    p = report.load(path)
                    show, make = report.KINDS[p['kind']]
                    with contextlib.redirect_stdout(io.StringIO()):
                        show(p, args)
                    make(p, args)
                except report.BadFile as e:
                    refused += 1
                    assert '\n' not in str(e), str(e)
    print(f'{tried} files, {refused} refused')


main()
