# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Services on a machine without systemd, as that of these tests is; tests/integration/systemd has the others."""

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.nslab.bridgenet.plugins.module_utils._errors import BridgenetError
from ansible_collections.nslab.bridgenet.tests.integration.engine import snapshot
from ansible_collections.nslab.bridgenet.tests.integration.engine.driver import apply, check
from ansible_collections.nslab.bridgenet.tests.integration.engine.story import Story

WEB = {"netns": [{"name": "a"}], "netns_service": [{"name": "web", "namespace": "a", "command": ["sleep", "infinity"]}]}


def test_without_systemd_it_is_an_error_before_the_first_change() -> None:
    """Also in check mode."""
    before = snapshot.state()
    for run in (check, apply):
        with pytest.raises(
            BridgenetError, match=r"service 'web': this host is not run by systemd .*; drop the command"
        ):
            run(WEB)
    snapshot.same(before, snapshot.state())


def test_nothing_is_absent_everywhere() -> None:
    """What cannot be there needs no systemd to go."""
    Story().stays(WEB, state="absent")


def test_a_unit_that_was_left_goes() -> None:
    """Of a host that had a systemd once, or is the image of another one."""
    unit = Path("/etc/systemd/system/bridgenet-web.service")
    unit.parent.mkdir(parents=True, exist_ok=True)
    unit.write_text("# bridgenet:1:default:web\n[Service]\nNetworkNamespacePath=/run/netns/a\nExecStart=true\n")
    report = apply({}, purge=True)
    assert report.actions == (f"rm -f {unit}",)
    assert not unit.exists()


def test_an_exclusive_namespace_keeps_only_what_is_declared() -> None:
    """A container whose command is declared no more; the services of others, and elsewhere, stay."""
    units = {"old": ("default", "a"), "theirs": ("other", "a"), "elsewhere": ("default", "b")}
    apply({"netns": [{"name": "a"}, {"name": "b"}]})
    paths = {name: Path(f"/etc/systemd/system/bridgenet-{name}.service") for name in units}
    for name, (project, namespace) in units.items():
        paths[name].parent.mkdir(parents=True, exist_ok=True)
        paths[name].write_text(
            f"# bridgenet:1:{project}:{name}\n[Service]\nNetworkNamespacePath=/run/netns/{namespace}\nExecStart=true\n"
        )
    assert not apply({"netns": [{"name": "a"}]}).changed
    report = apply({"netns": [{"name": "a", "exclusive": True}]})
    assert report.actions == (f"rm -f {paths['old']}",)
    assert [name for name, path in paths.items() if path.exists()] == ["theirs", "elsewhere"]
    assert not apply({"netns": [{"name": "a", "exclusive": True}]}).changed
