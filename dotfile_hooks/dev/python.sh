#!/bin/sh
# Prints the Python to make .venv with: $PYTHON if it is set, else the newest one found that is 3.11 or later and has the
# venv module. Otherwise says, in a sentence, what is missing. Each candidate is run: a pyenv shim may exist and yet fail.
set -u

suits='import sys; sys.exit(2) if sys.version_info < (3, 11) else None; import ctypes, ensurepip, ssl, venv'

if [ -n "${PYTHON:-}" ]; then
    if "$PYTHON" -c "$suits" 2>/dev/null; then
        command -v "$PYTHON"
        exit 0
    fi
    echo "PYTHON=$PYTHON does not run, is older than 3.11, or lacks the venv module (Debian: apt-get install python3-venv)." >&2
    exit 1
fi

lacking=""
for candidate in python3.13 python3.12 python3.11 python3; do
    "$candidate" -c "$suits" 2>/dev/null && { command -v "$candidate"; exit 0; }
    if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
        lacking="$candidate"
    fi
done

if [ -n "$lacking" ]; then
    echo "$lacking lacks the venv module. On Debian or Ubuntu: apt-get install $lacking-venv" >&2
else
    found=$(python3 --version 2>/dev/null || echo "no python3")
    echo "Python 3.11 or later is needed, found $found. Install one, or name it: make demo PYTHON=/path/to/python3.11" >&2
fi
exit 1
