#!/usr/bin/env bash
# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Installs the Debian packages that are missing: hack/apt.sh PACKAGE...
# Does nothing where there is no apt.
set -euo pipefail

command -v apt-get >/dev/null || exit 0

wanted=("$@")
# Since Debian 13 the client is a package of its own, which docker.io only recommends.
if [[ " $* " == *" docker.io "* ]] && (. /etc/os-release && [ "$ID" = debian ] && [ "${VERSION_ID:-13}" -ge 13 ]); then
    wanted+=(docker-cli)
fi

missing=()
for package in "${wanted[@]}"; do
    status=$(dpkg-query --show --showformat='${db:Status-Status}' "$package" 2>/dev/null || true)
    [ "$status" = installed ] || missing+=("$package")
done
[ ${#missing[@]} -gt 0 ] || exit 0

if [ "$(id -u)" -ne 0 ]; then
    echo "Missing packages. As root: apt-get install ${missing[*]}" >&2
    exit 1
fi

# One at a time: tests that run side by side install what they need, and apt does not wait for who reads its lists.
if [ -z "${APT_IS_OURS:-}" ]; then
    APT_IS_OURS=1 exec flock --close /var/lib/dpkg "$0" "$@"
fi

# What is installed here is used by name; a service of it (sshd) must not start on this machine, nor at its next boot.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
    trap 'rm -f "$policy"' EXIT
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod 755 "$policy"
fi

enabled() {
    find /etc/systemd/system -path '*.wants/*' -printf '%f\n' 2>/dev/null | sort --unique || true
}
before=$(enabled)

export DEBIAN_FRONTEND=noninteractive
echo "apt: installing ${missing[*]}"
apt-get -qq update
apt-get -qq -o DPkg::Lock::Timeout=300 install --yes --no-install-recommends "${missing[@]}" >/dev/null

mapfile -t services < <(comm -13 <(echo "$before") <(enabled))
if [ ${#services[@]} -gt 0 ] && command -v systemctl >/dev/null; then
    systemctl --quiet disable "${services[@]}"
fi
