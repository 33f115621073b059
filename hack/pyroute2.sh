#!/usr/bin/env bash
# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Runs tests with releases of pyroute2 other than the one that is pinned, also behind one that fails:
# hack/pyroute2.sh "VERSION..." PYTEST-ARGUMENT...
set -euo pipefail

versions=$1
shift

failed=()
for version in $versions; do
    place=.cache/pyroute2/$version
    if [ ! -d "$place" ]; then
        rm -rf "$place.new"
        pip install --quiet --quiet --no-deps --target "$place.new" "pyroute2==$version"
        mv "$place.new" "$place"
    fi
    echo "--- pyroute2 $version"
    export PYTHONPATH=$PWD/$place
    found=$(python -c 'import pyroute2; print(getattr(pyroute2, "__version__", ""))')
    [ "$found" = "$version" ] || { echo "this is pyroute2 $found"; exit 1; }
    pytest "$@" || failed+=("$version")
done
if [ ${#failed[@]} -gt 0 ]; then
    echo "pyroute2: failed with ${failed[*]}"
    exit 1
fi
