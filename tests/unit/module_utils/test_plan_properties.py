# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""plan() from any state to any other: what it predicts is what its operations give, and all of it can be undone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest
from hypothesis import HealthCheck, assume, event, given, note, settings
from hypothesis import strategies as st

from ansible_collections.nslab.bridgenet.plugins.module_utils import _labels, _purge
from ansible_collections.nslab.bridgenet.plugins.module_utils._errors import BridgenetError
from ansible_collections.nslab.bridgenet.plugins.module_utils._model import (
    HOST,
    Element,
    Host,
    Link,
    Namespace,
)
from ansible_collections.nslab.bridgenet.plugins.module_utils._operation_base import Operation
from ansible_collections.nslab.bridgenet.plugins.module_utils._plan import Plan, plan
from ansible_collections.nslab.bridgenet.plugins.module_utils._purge import Named
from ansible_collections.nslab.bridgenet.plugins.module_utils._resources import _forward, _masquerade, _publish
from ansible_collections.nslab.bridgenet.plugins.module_utils._resources._base import Context
from ansible_collections.nslab.bridgenet.plugins.module_utils._resources._registry import RESOURCES
from ansible_collections.nslab.bridgenet.plugins.module_utils._touched import touched
from ansible_collections.nslab.bridgenet.tests.unit.module_utils.memory import MemoryKernel, Refused, as_begun
from ansible_collections.nslab.bridgenet.tests.unit.module_utils.strategies import Declaration, worlds

thorough = settings(
    max_examples=400,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
)


def resources(declaration: Declaration) -> list[Named]:
    """What is declared; a declaration that contradicts itself is none."""
    context = Context("default", "host1")
    try:
        return [
            (name, RESOURCES[name].declare(one, context)) for name in RESOURCES for one in declaration.get(name, ())
        ]
    except BridgenetError:
        assume(False)
        raise


def decide(current: Host, declared: list[Named]) -> Plan:
    """A plan that a real run would carry out."""
    try:
        decided = plan(current, [resource for _module, resource in declared])
    except BridgenetError as error:
        event(f"refused: {str(error).rsplit(';', maxsplit=1)[-1]}")
        assume(False)
        raise
    assume(not decided.assumed)
    return decided


def carry_out(kernel: MemoryKernel, operations: Sequence[Operation]) -> None:
    """Do it; only a declared next hop that nothing leads to may be refused."""
    try:
        kernel.run(operations)
    except Refused as refused:
        if "no way to" not in str(refused):
            raise
        event("refused: no way to a next hop")
        assume(False)


def differences(predicted: Mapping[str, Mapping[str, Link]], real: Mapping[str, Mapping[str, Link]]) -> list[str]:
    """What differs between two states of all links."""
    found = []
    for place in sorted({*predicted, *real}):
        before, after = predicted.get(place), real.get(place)
        if before is None or after is None:
            found.append(f"namespace {place!r}: {before is not None} != {after is not None}")
            continue
        for name in sorted({*before, *after}):
            one, other = before.get(name), after.get(name)
            if one is None or other is None:
                found.append(f"{place}/{name}: {one is not None} != {other is not None}")
            elif one != other:
                fields = [field for field in one.__dict__ if getattr(one, field) != getattr(other, field)]
                found += [f"{place}/{name}: {key} {getattr(one, key)} != {getattr(other, key)}" for key in fields]
    return found


def untouched_look_the_same(current: Host, decided: Plan, declared: Sequence[Named]) -> None:
    """What a change does not touch needs no new view."""
    changes = touched(current, decided.predicted)
    untouched = [resource for _module, resource in declared if not resource.is_touched(changes)]
    event(f"untouched: {min(len(untouched), 3)}")
    before, after = (
        {one.what: one.at(host.key).view(host) for one in untouched} for host in (current, decided.predicted)
    )
    assert before == after
    if not decided.operations:
        assert changes.names | changes.namespaces | changes.links == set()


def is_there(key: str, namespace: Namespace) -> bool:
    """A sysctl of a bridge goes with it."""
    return not key.endswith("/route_localnet") or key.split("/")[3] in ("default", *namespace.links)


def same(predicted: Host, kernel: MemoryKernel) -> None:
    """The kernel's state is the predicted one."""
    __tracebackhide__ = True
    state = kernel.state()
    links = {
        place: {name: as_begun(link) for name, link in one.links.items()} for place, one in predicted.namespaces.items()
    }
    assert differences(links, state["links"]) == []
    for name, one in predicted.namespaces.items():
        assert {key: value for key, value in one.sysctls.items() if is_there(key, one)} == {
            key: state["sysctls"][name][key] for key in one.sysctls if is_there(key, one)
        }
    assert dict(predicted.firewall.entries) == state["entries"]
    assert state["table"] == any(isinstance(entry, Element) for entry in state["entries"])
    assert dict(predicted.files) == state["files"]
    known = {"hosts": predicted.names_known.hosts, "resolv.conf": predicted.names_known.resolvers}
    assert {name: {key: text for key, text in one.items() if text} for name, one in known.items()} == state["known"]
    assert dict(predicted.originals) == state["originals"]


def test_a_namespace_that_loses_the_name_that_it_stands_under() -> None:
    """What is declared inside by its other name is found there."""
    loopback = Link("lo", kind="", mac="00:00:00:00:00:00", mtu=65536, up=True, ipv6=True, label="", master="")
    inside = Namespace("b", {"lo": loopback})
    current = Host({HOST: Namespace(HOST, {"lo": loopback}), "b": inside}, names={"b": "b", "also": "b"})
    pair = {"name": "v0", "namespace": "also", "peer": {"name": "p0"}}
    decided = plan(
        current, [one for _module, one in resources({"netns": [{"name": "b", "state": "absent"}], "veth": [pair]})]
    )
    assert not decided.assumed
    assert set(decided.predicted.namespaces["b"].links) == {"lo", "v0"}


def changed_ports(current: Host, predicted: Host) -> set[tuple[str, ...]]:
    """Those of UDP, whose senders never begin anew: where it leads is another place, or none, or one at last."""
    before, after = (
        {element for element in host.firewall.entries if isinstance(element, Element) and element.value}
        for host in (current, predicted)
    )
    return {
        (element.set[-1], element.key[-2], "".join(element.key[:-2]), element.key[-1])
        for element in before ^ after
        if element.key[-2] == "udp"
    }


@thorough
@given(worlds())
def test_prediction(world: tuple[Host, Declaration]) -> None:
    """The operations give what was predicted, and then there is nothing left to do."""
    current, declaration = world
    declared = resources(declaration)
    decided = decide(current, declared)
    kernel = MemoryKernel(current)
    note("\n".join(command for operation in decided.operations for command in operation.commands()))
    carry_out(kernel, decided.operations)
    kernel.finish()
    same(decided.predicted, kernel)
    assert changed_ports(current, decided.predicted) == kernel.forgotten
    untouched_look_the_same(current, decided, declared)
    event(f"operations: {min(len(decided.operations), 10)}{'+' if len(decided.operations) >= 10 else ''}")
    again = plan(kernel.host(current), [resource for _module, resource in declared])
    assert again.operations == ()
    assert not again.assumed


@thorough
@given(worlds(), st.data())
def test_undo(world: tuple[Host, Declaration], data: st.DataObject) -> None:
    """Wherever the run stops, undoing what was done brings the start back."""
    current, declaration = world
    decided = decide(current, resources(declaration))
    assume(decided.operations)
    stop = data.draw(st.integers(1, len(decided.operations)))
    kernel = MemoryKernel(current)
    start = kernel.state()
    done = decided.operations[:stop]
    carry_out(kernel, done)
    for operation in reversed(done):
        kernel.run(operation.undo())
    kernel.finish()
    assert differences(start["links"], kernel.state()["links"]) == []
    assert kernel.state() == start


@thorough
@given(worlds())
def test_no_news_is_no_change(world: tuple[Host, Declaration]) -> None:
    """There are operations if and only if the prediction differs from what is."""
    current, declaration = world
    decided = decide(current, resources(declaration))
    differs = (
        decided.predicted.namespaces != current.namespaces
        or decided.predicted.firewall.entries != current.firewall.entries
        or decided.predicted.names != current.names
        or decided.predicted.originals != current.originals
        or decided.predicted.names_known != current.names_known
    )
    assert bool(decided.operations) == differs
    assert plan(current, [resource for _module, resource in resources(declaration)]) == decided, "plan() is pure"
    for operation in decided.operations:
        for command in operation.commands():
            assert command.isprintable() or "nft -f" in command or command.startswith("printf %s ")


@thorough
@given(worlds())
def test_purge(world: tuple[Host, Declaration]) -> None:
    """With purge, what carries the project's label and is not declared goes; nothing else does."""
    current, declaration = world
    asked = resources(declaration)
    declared = [*asked, *_purge.stale(current, asked, "default")]
    decided = decide(current, declared)
    kernel = MemoryKernel(current)
    note("\n".join(command for operation in decided.operations for command in operation.commands()))
    carry_out(kernel, decided.operations)
    kernel.finish()
    same(decided.predicted, kernel)
    untouched_look_the_same(current, decided, declared)
    key = decided.predicted.key
    kept = {one for _module, resource in asked if resource.present for one in resource.at(key).keeps()}
    for place, links in kernel.places.items():
        for link in links.values():
            label = _labels.parse(link.label or "")
            if label and label.project == "default":
                owner = (
                    ("netns", label.names[0] if label.names else place)
                    if link.name == "lo"
                    else ("link", f"{place}/{link.name}")
                )
                others = {("link", f"{link.peer[0]}/{link.peer[1]}")} if link.peer else set()
                assert kept & {owner, *others}, f"{link} is stale"
    claimed = {key for _module, resource in asked for key in resource.owns()}  # absent ones look after their own
    for comment, options in _forward.stale(kernel.state()["entries"]):
        label = _labels.parse(comment)
        assert label
        if label.project == "default":
            assert ("forward", _forward.Forward(**options).place) in claimed or ("forward label", comment) in claimed
    for comment, options in _publish.stale(kernel.state()["entries"]):
        label = _labels.parse(comment)
        assert label
        if label.project == "default":
            family = "IPv6" if ":" in options["address"] else "IPv4"
            assert ("publish label", f"{comment} {family}") in claimed
    for one in _masquerade.found(kernel.state()["entries"]).values():
        label = _labels.parse(one.comment)
        assert label
        if label.project == "default":
            assert ("masquerade", one.masquerade.text) in claimed or any(str(label) in key[1] for key in claimed)
    assert plan(kernel.host(current), [resource for _module, resource in declared if resource.present]).operations == ()


@pytest.mark.parametrize("number", range(3))
def test_memory_refuses(number: int) -> None:
    """The memory kernel is no yes-man."""
    from ansible_collections.nslab.bridgenet.plugins.module_utils import _operations as ops
    from ansible_collections.nslab.bridgenet.tests.unit.module_utils.memory import empty_host, route

    operation = [
        ops.DelAddress("", "lo", "10.0.0.1/8"),
        ops.AddRoute("", "lo", route("10.0.0.0/8", "10.1.0.1")),
        ops.DeleteLinks("", ("gone",), ()),
    ][number]
    with pytest.raises(Refused):
        MemoryKernel(empty_host()).run([operation])
