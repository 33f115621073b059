#!/usr/bin/env bash
# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Runs ansible-test sanity, without an ignore file, on every release of ansible-core that is supported.
# Each release gets an environment and a copy of the collection of its own, so that they can run side by side.
set -euo pipefail

# release, oldest and newest Python of its controller
releases="
2.18.19 3.11 3.13
2.19.14 3.11 3.13
2.21.5  3.12 3.14
"
place=ansible_collections/nslab/bridgenet
noise='^ *(Building|Collecting|Created|Downloading|Getting|Installing|Looking|Preparing|Processing|Stored|Successfully|Using cached|━|$)|^Running sanity test|^WARNING: (Using|Reviewing)'
cache=$PWD/.cache/sanity
unset ANSIBLE_CONFIG ANSIBLE_HOME ANSIBLE_COLLECTIONS_PATH

# The interpreters that ansible-test finds for its compile and import tests: those that really run.
link_interpreters() {
    mkdir -p "$cache/bin"
    for version in 3.{9..14}; do
        if python=$(hack/python.sh "$version" "$version"); then
            ln -sfn "$python" "$cache/bin/python$version"
        fi
    done
    PATH=$cache/bin:$PATH
}

# ansible-test would download a script that installs pip: give it one that uses the pip that comes with Python.
provide_get_pip() {
    "$1" - <<'PYTHON'
import pathlib, sys, types
from ansible_test._internal.python_requirements import get_venv_packages

python = types.SimpleNamespace(version="{}.{}".format(*sys.version_info))
version = get_venv_packages(python)["pip"].replace(".", "_")
script = pathlib.Path.home() / f".ansible/test/cache/get_pip_{version}.py"
script.parent.mkdir(parents=True, exist_ok=True)
script.write_text("import ensurepip\nensurepip.bootstrap(default_pip=True)\n")
PYTHON
}

copy_collection() {
    rm -rf "$1"
    mkdir -p "$1"
    # A checkout that belongs to somebody else is fine: git only lists names here.
    git -c safe.directory='*' ls-files -z --cached --others --exclude-standard |
        while IFS= read -r -d '' file; do [ ! -e "$file" ] || printf '%s\0' "$file"; done |
        tar --create --null --files-from=- | tar --extract --directory "$1"
    # Otherwise ansible-test asks the checkout around the copy, which ignores .cache, and finds nothing to test.
    git -C "$1" init --quiet --initial-branch=main
}

check() {
    local release=$1 venv=$cache/$1/venv copy=$cache/$1/$place
    export HOME=$cache/$1/home # ansible-test keeps environments and downloads in ~/.ansible
    hack/venv.sh "$venv" "$2" "$3" -c constraints.txt "ansible-core==$release"
    provide_get_pip "$venv/bin/python"
    copy_collection "$copy"
    cd "$copy"
    "$venv/bin/ansible-test" sanity --color no
}

mkdir -p "$cache"
link_interpreters
declare -A running
while read -r release oldest newest; do
    [ -n "$release" ] || continue
    if hack/python.sh "$oldest" "$newest" >/dev/null; then
        check "$release" "$oldest" "$newest" >"$cache/$release.log" 2>&1 &
        running[$release]=$!
    else
        echo "ansible-test sanity, ansible-core $release: SKIPPED, no Python from $oldest to $newest on this machine"
    fi
done <<<"$releases"

failed=0
for release in $(printf '%s\n' "${!running[@]}" | sort); do
    log=$cache/$release.log
    wait "${running[$release]}" && status=0 || status=$?
    count=$(grep --count '^Running sanity test' "$log" || true)
    if [ "$status" -eq 0 ] && [ "$count" -gt 0 ]; then
        grep '^WARNING: Skipping' "$log" | sort --unique || true
        echo "ansible-test sanity, ansible-core $release: passed ($count tests)"
    else
        grep --invert-match --extended-regexp "$noise" "$log" || true
        echo "ansible-test sanity, ansible-core $release: FAILED (${log#"$PWD"/})"
        failed=1
    fi
done
exit $failed
