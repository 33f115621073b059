#!/usr/bin/env bash
# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Makes a virtual environment hold what pip is told: hack/venv.sh DIRECTORY OLDEST NEWEST PIP-ARGUMENT...
# OLDEST and NEWEST bound its Python. pip runs only when the pins, the place or the interpreter changed.
set -euo pipefail

directory=$1 oldest=$2 newest=$3
shift 3
place=$(readlink -m "$directory")
stamp=$directory/$(cksum <<<"$*" | tr ' ' -).stamp

state() {
    echo "$place"
    "$directory/bin/python" --version
    cat constraints.txt requirements*.txt
}

if [ -e "$stamp" ] && state 2>/dev/null | cmp --silent - "$stamp"; then
    exit 0
fi

# One that was moved, or whose interpreter is gone, is made anew.
if ! "$directory/bin/python" -c '' 2>/dev/null || ! grep -qF "$place/bin/" "$directory/bin/pip"; then
    if ! python=$(hack/python.sh "$oldest" "$newest"); then
        echo "No Python from $oldest to $newest with venv (Debian: apt-get install python3-venv)" >&2
        exit 1
    fi
    "$python" -m venv --clear "$directory"
fi
echo "$directory: pip install $*"
"$directory/bin/python" -m pip install --quiet --quiet "$@"
state >"$stamp"
