"""The code in the chip's flash, where MicroPython has a ROM partition: it runs from there and takes little of the heap.

A copy of the application is written to the partition `romfs` when it differs from what is there, and mounted as /rom.
Built without ROMFS, as the images on micropython.org are, MicroPython loads the code into the heap instead.
This file, slots.py and main.py are never updated over the air. The format is that of MicroPython's extmod/vfs_rom.c.
"""

import os
from hashlib import sha256

import vfs
from micropython import const

_BLOCK = const(4096)
_PIECE = const(512)


def partition():
    """Return the chip's ROM partition, or None."""
    if not hasattr(vfs, "rom_ioctl"):
        return None
    found = vfs.rom_ioctl(2, 0)
    return None if isinstance(found, int) else found


def modules(folders):
    """Return the names of the compiled modules, in order, and where each is; those of the first folder count first."""
    found = {}
    for folder in folders:
        for name in os.listdir(folder):
            if name.endswith("py") and name not in found:
                found[name] = folder + "/" + name
    return [(name, found[name]) for name in sorted(found)]


def digest(files):
    """Return what tells one copy from another."""
    sha = sha256()
    piece = memoryview(bytearray(_PIECE))
    for name, path in files:
        sha.update(name.encode())
        with open(path, "rb") as file:
            while n := file.readinto(piece):
                sha.update(piece[:n])
    return sha.digest()


def varuint(n, width=1):
    """Encode a number in bytes of 7 bits, the highest first, in `width` bytes or more."""
    data = bytes((n & 127,))
    while n > 127 or len(data) < width:
        n >>= 7
        data = bytes((n & 127 | 128,)) + data
    return data


def head(name, size):
    """Return what stands before a file's data; together they have an even length."""
    named = varuint(len(name)) + name.encode()
    for width in (3, 4):
        data = b"\x02" + varuint(size, width)
        whole = b"\x05" + varuint(len(named) + len(data) + size, 3) + named + data
        if not (len(whole) + size) & 1:
            break
    return whole


def pieces(files):
    """Yield an image of the files, in pieces of any size; each is overwritten by the next."""
    size = 0
    for name, path in files:
        n = os.stat(path)[6]
        size += len(head(name, n)) + n
    yield b"\xd2\xcd\x31" + varuint(size, 3)
    piece = memoryview(bytearray(_PIECE))
    for name, path in files:
        yield head(name, os.stat(path)[6])
        with open(path, "rb") as file:
            while n := file.readinto(piece):
                yield piece[:n]
    yield bytes(_PIECE)  # so that the last piece is full


def write(partition, files):
    """Write the files to the partition, which is erased block by block. OSError where they do not fit."""
    full = bytearray(_PIECE)
    at = held = 0
    for piece in pieces(files):
        while len(piece):
            n = min(len(piece), _PIECE - held)
            full[held : held + n] = piece[:n]
            piece = piece[n:]
            held += n
            if held == _PIECE:
                if at // _BLOCK >= partition.ioctl(4, 0):
                    raise OSError(28)  # ENOSPC
                if at % _BLOCK == 0:
                    partition.ioctl(6, at // _BLOCK)
                partition.writeblocks(at // _BLOCK, full, at % _BLOCK)
                at += _PIECE
                held = 0


def _mount(partition):
    try:
        vfs.mount(vfs.VfsRom(getattr(partition, "memory", partition)), "/rom")
    except OSError:  # there is none yet, or it is mounted already
        pass


def load(folders, partition):
    """Return the folder to import from: /rom with a copy of the modules in it, or the first of the folders."""
    if partition is None:
        return folders[0]
    files = modules(folders)
    _mount(partition)
    try:
        if digest(modules(("/rom",))) == digest(files):
            return "/rom"
        vfs.umount("/rom")
    except OSError:
        pass
    try:
        write(partition, files)
    except OSError:
        return folders[0]
    _mount(partition)
    return "/rom"
