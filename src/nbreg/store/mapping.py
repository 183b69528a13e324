"""Files as memory, copy-on-write, and no descriptor that stays open for it.

Until Python 3.13 `mmap.mmap` keeps a copy of the file's descriptor. A model of a thousand large parts
could not be loaded where a process may have 1,024 files open, which is what most may; and each time
the kernel makes room for more of them, all threads wait for ten milliseconds.
"""

from __future__ import annotations

import mmap
import os
import sys
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ctypes import CDLL

_WRITABLE = mmap.PROT_READ | mmap.PROT_WRITE


def mapped(fd: int, size: int) -> memoryview:
    """The first `size` bytes of a file, at least one; what is written to them stays in this process.

    The descriptor may be closed afterwards. What somebody cuts off the file is a SIGBUS for who reads it.

    Raises `OSError`.
    """
    if sys.version_info >= (3, 13):
        return memoryview(mmap.mmap(fd, size, flags=mmap.MAP_PRIVATE, prot=_WRITABLE, trackfd=False))
    return _without_descriptor(fd, size)


def _without_descriptor(fd: int, size: int) -> memoryview:
    import ctypes
    from weakref import finalize

    libc = _libc()
    address = libc.mmap(None, size, _WRITABLE, mmap.MAP_PRIVATE, fd, 0)
    if address == ctypes.c_void_p(-1).value:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    block = (ctypes.c_ubyte * size).from_address(address)
    # Not at exit: arrays over it may outlive whatever is finalized there.
    finalize(block, libc.munmap, address, size).atexit = False
    return memoryview(block).cast("B")


@cache
def _libc() -> CDLL:
    import ctypes

    libc = ctypes.CDLL(None, use_errno=True)
    offset = ctypes.c_long  # as wide as off_t on every 64-bit system
    flags = [ctypes.c_int] * 3
    libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, *flags, offset]
    libc.mmap.restype = ctypes.c_void_p
    libc.munmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t]
    return libc
