# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Random declarations on the real kernel: what was predicted for the whole host is what stands, or all is undone."""

from __future__ import annotations

import functools

from hypothesis import HealthCheck, assume, event, given, settings
from hypothesis import strategies as st

from ansible_collections.nslab.bridgenet.plugins.module_utils import _purge
from ansible_collections.nslab.bridgenet.plugins.module_utils._errors import BridgenetError
from ansible_collections.nslab.bridgenet.plugins.module_utils._kernel import Failed, Kernel
from ansible_collections.nslab.bridgenet.plugins.module_utils._model import Host
from ansible_collections.nslab.bridgenet.plugins.module_utils._plan import plan
from ansible_collections.nslab.bridgenet.plugins.module_utils._reader import Scope, read
from ansible_collections.nslab.bridgenet.tests.integration.engine import driver, snapshot
from ansible_collections.nslab.bridgenet.tests.integration.engine.sandbox import sandbox, shell
from ansible_collections.nslab.bridgenet.tests.unit.module_utils.memory import as_begun
from ansible_collections.nslab.bridgenet.tests.unit.module_utils.strategies import Declaration, declarations

# Two changes of the whole host take a while, and the machine that they run on may be busy.
few = settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
)


def change(declaration: Declaration) -> None:
    """Carry a declaration out, and look at the whole host."""
    try:
        task = driver.task(declaration)
        before = driver.host_for(task)
        found = [*task.resources, *_purge.unplugged(before, task.resources, task.project)]
        predicted = plan(before, [resource for _module, resource in found])
    except BridgenetError:
        assume(False)
        raise
    assume(not predicted.assumed)
    state = snapshot.state()
    try:
        report = driver.apply(declaration, force=True)
    except Failed as failed:
        if "invalid gateway" not in str(failed) and "No route to host" not in str(failed):
            raise  # all but a next hop that nothing leads to was for plan() to find out
        snapshot.same(snapshot.portable(state), snapshot.portable(snapshot.state()), str(failed))
        event("undone")
        return
    assert report.changed == bool(predicted.operations)
    after = driver.host_for(task)
    assert _links(after) == _links(predicted.predicted)
    assert after.firewall.entries == predicted.predicted.firewall.entries
    assert after.originals == predicted.predicted.originals
    assert _known(after) == _known(predicted.predicted)
    sysctls = after.namespaces[""].sysctls
    assert {
        key: value for key, value in predicted.predicted.namespaces[""].sysctls.items() if key in sysctls
    }.items() <= sysctls.items()
    assert not driver.apply(declaration, force=True).changed
    event(f"operations: {min(len(predicted.operations), 20) // 5 * 5}")


def _links(host: Host) -> dict[str, object]:
    return {
        f"{place}/{link.name}": as_begun(link) for place, one in host.namespaces.items() for link in one.links.values()
    }


def _known(host: Host) -> list[tuple[str, str, str]]:
    files = (("hosts", host.names_known.hosts), ("resolv.conf", host.names_known.resolvers))
    return sorted((name, namespace, text) for name, known in files for namespace, text in known.items() if text)


@functools.cache
def _kernel() -> dict[str, bool]:
    """What not every kernel has."""
    probe = Scope(vlans=True, qdisc_kinds={"netem"})
    with sandbox(), Kernel() as kernel:
        found = read(kernel, probe)
    return {"netem": "netem" not in found.qdiscs_missing, "filters_vlans": found.filters_vlans}


@few
@given(st.data())
def test_from_any_state_to_any_other(data: st.DataObject) -> None:
    """One declaration after another, the second one for what the first one made."""
    with sandbox():
        shell("ip address add fd00:198::1/128 dev lo")  # at which ports are published
        change(data.draw(declarations(driver.host(), **_kernel()), label="first"))
        change(data.draw(declarations(driver.host(), **_kernel()), label="second"))
