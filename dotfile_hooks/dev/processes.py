"""Child processes that never outlive us, and the signals that end us."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

PR_SET_PDEATHSIG = 1  # from <linux/prctl.h>
_libc = ctypes.CDLL(None) if sys.platform == "linux" else None


class StartError(Exception):
    """Something could not be started; the text says what to do, for a person."""


def free_port() -> int:
    """A loopback port that was free a moment ago; whoever binds it must be ready to lose the race."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def tied(signum: signal.Signals) -> Callable[[], None] | None:
    """A `preexec_fn`: the kernel sends `signum` to the child when the thread that started it dies, even by kill -9.

    Linux only; elsewhere a child outlives a parent that was killed with -9.
    """
    if _libc is None:
        return None
    parent, prctl = os.getpid(), _libc.prctl

    def tie() -> None:
        prctl(PR_SET_PDEATHSIG, int(signum), 0, 0, 0)
        if os.getppid() != parent:  # it died before we asked
            os._exit(1)

    return tie


def stop(process: subprocess.Popen[Any], signum: signal.Signals, timeout: float = 15) -> int:
    """Asks the process to end, waits `timeout` seconds, then kills it. Returns its exit status."""
    if process.poll() is None:
        process.send_signal(signum)
        try:
            process.wait(timeout)
        except subprocess.TimeoutExpired:
            process.kill()
    return process.wait()


def _leave(signum: int, frame: FrameType | None) -> None:
    # The second signal must not interrupt the clean-up that the first one began.
    for each in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(each, signal.SIG_IGN)
    raise SystemExit(128 + signum)


def end_cleanly() -> None:
    """Turns SIGTERM and SIGHUP into SystemExit, so that every `with` is left; ends with make, if make called us."""
    for signum in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(signum, _leave)
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a script's background job begins with SIGINT ignored
    if "MAKELEVEL" in os.environ and _libc is not None:
        _libc.prctl(PR_SET_PDEATHSIG, int(signal.SIGTERM), 0, 0, 0)


@contextlib.contextmanager
def sentences() -> Any:
    """For programs: a StartError is printed as its sentence, Ctrl-C ends without a traceback."""
    try:
        yield
    except StartError as error:
        sys.exit(str(error))
    except KeyboardInterrupt:
        sys.exit(130)
