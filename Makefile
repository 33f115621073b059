# Copyright (c) 2026, nslab.bridgenet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
# The targets share one machine, one environment and one network.
.NOTPARALLEL:

VENV := .cache/venv
BIN := $(CURDIR)/$(VENV)/bin
TREE := .cache/collections/ansible_collections/nslab/bridgenet

# For the controller; what a target needs is the role lab_host's business.
SITE_PACKAGES := python3-venv
TEST_PACKAGES := $(SITE_PACKAGES) git iproute2 iptables iputils-ping kmod nftables openssh-client openssh-server \
	procps python3-pyroute2 shellcheck sudo tcpdump tshark util-linux
BENCH_PACKAGES := gcc libc6-dev bridge-utils containernetworking-plugins docker.io iperf3 mininet netavark strace
EVPN_PACKAGES := frr frr-pythontools
DISTRIBUTIONS_PACKAGES := mmdebstrap openssh-client podman runc
VM_PACKAGES := e2fsprogs mmdebstrap qemu-system-x86

# Tests of their own machines run side by side, one more than a small machine has cores, because many wait.
WORKERS := --numprocesses 3

# The oldest and the newest release that targets may have, and what lies between.
PYROUTE2 := 0.7.2 0.7.12 0.8.1 0.9.7

# Ansible refuses a locale that is not UTF-8, and a fresh machine has none set.
export LC_ALL := C.UTF-8
export PATH := $(BIN):$(PATH)
export ANSIBLE_CONFIG := $(CURDIR)/ansible.cfg
# The tools keep their own files here, not in the home of the person who runs them.
export ANSIBLE_HOME := $(CURDIR)/.cache/ansible
export HYPOTHESIS_STORAGE_DIRECTORY := $(CURDIR)/.cache/hypothesis
export XDG_CACHE_HOME := $(CURDIR)/.cache/xdg

.PHONY: help
help: ## this table
	@awk -F ':.*## ' 'BEGIN { printf "%-12s %s\n%-12s %s\n", "target", "what it does", "------", "------------" } \
		/^[a-z0-9-]+:.*## / { printf "%-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: site
site: site-tools ## build the network of the inventory (default: seed 001 on this machine)
	ansible-playbook playbooks/site.yml $(ARGS)

.PHONY: verify
verify: site-tools ## ping through what site built
	ansible-playbook playbooks/verify.yml $(ARGS)

.PHONY: down
down: site-tools ## take it all away again
	ansible-playbook playbooks/teardown.yml $(ARGS)

.PHONY: test
test: test-tools ## everything below, and the machine's own network must stay as it is
	+python tests/network_guard.py $(MAKE) --keep-going lint sanity unit integration molecule

.PHONY: lint
lint: test-tools ## ruff, mypy, yamllint, ansible-lint, antsibull-changelog, -docs and -nox
	hack/lint.sh

.PHONY: sanity
sanity: test-tools ## ansible-test sanity on every supported ansible-core
	hack/sanity.sh

.PHONY: unit
unit: test-tools ## pure code, no root needed
	pytest $(WORKERS) tests/unit $(ARGS)

.PHONY: integration
integration: test-tools ## the engine on this kernel, inside private namespaces (root)
	pytest $(WORKERS) tests/integration $(ARGS)

.PHONY: molecule
molecule: test-tools ## roles and playbooks on test hosts over SSH (root)
	hack/molecule.sh 2 $(SCENARIOS)

.PHONY: evpn
evpn: test-tools ## one network on three hosts with FRR as its control plane; before a release (root)
	hack/apt.sh $(EVPN_PACKAGES) $(DISTRIBUTIONS_PACKAGES)
	hack/molecule.sh 1 evpn
	pytest tests/evpn $(ARGS)

.PHONY: distributions
distributions: test-tools ## the role on Debian 11, 12 and 13, run by systemd; before a release (root)
	hack/apt.sh $(DISTRIBUTIONS_PACKAGES)
	hack/molecule.sh 1 distributions

.PHONY: pyroute2
pyroute2: test-tools ## the engine with every release of pyroute2 that is supported; before a release (root)
	hack/pyroute2.sh "$(PYROUTE2)" $(WORKERS) $(or $(ARGS),tests/integration/engine tests/unit/module_utils)

.PHONY: reboot
reboot: test-tools ## a network that comes back when a virtual machine boots; before a release (root)
	hack/apt.sh $(VM_PACKAGES)
	hack/molecule.sh 1 reboot

.PHONY: vm
vm: test-tools ## what not every kernel has, in a virtual machine; before a release (root)
	hack/apt.sh $(VM_PACKAGES)
	pytest tests/vm/test_vm.py $(ARGS)

.PHONY: bench
bench: test-tools ## what costs what, beside C, ip, container engines and looped tasks (root)
	@for package in $(BENCH_PACKAGES); do hack/apt.sh $$package || echo "without $$package"; done
	@hack/venv.sh $(VENV) 3.11 3.14 --requirement requirements-bench.txt
	PYTHONPATH=.cache/collections python -m ansible_collections.nslab.bridgenet.tests.benchmarks.run $(ARGS)

.PHONY: clean
clean: ## remove everything generated
	rm -rf .cache .ansible .nox .hypothesis tests/output
	find . -name __pycache__ -prune -exec rm -rf {} +

.PHONY: site-tools
site-tools: $(TREE)
	@hack/apt.sh $(SITE_PACKAGES)
	@hack/venv.sh $(VENV) 3.11 3.14 --requirement requirements.txt

.PHONY: test-tools
test-tools: $(TREE)
	@hack/apt.sh $(TEST_PACKAGES)
	@hack/venv.sh $(VENV) 3.11 3.14 --requirement requirements-test.txt

# Ansible and Python find the collection by its name in this tree.
$(TREE):
	@mkdir -p $(@D)
	@ln -sfn ../../../.. $@
