# SPDX-License-Identifier: MIT
#
#   make demo           everything that is needed, then the main job on real guests
#   make test           everything that is needed, then every test but those of test-kernels
#   make test-kernels   kernel module and virtual time in every kind of kernel: x86-64, ARM, User-Mode Linux
#   make build          everything that is needed to run: packages, addon, guest kernel, module, guest files
#   make kvm-kernel     the kernel of KVM guests
#   make bench          measurements
#   make lint           formatting, lint rules, types
#   make clean          removes what was built here (kernels stay in the user's cache folder)
#
# A second call rebuilds nothing. KERNEL_SRC=<folder or tarball> builds the guest kernel from sources of your own.

.PHONY: build demo test test-kernels bench lint clean packages test-packages kernel kvm-kernel nested-kernel module arm-kernel addon
.DEFAULT_GOAL := build

PARTITIONS := $(patsubst examples/partitions/%.c,build/partitions/%.elf,$(wildcard examples/partitions/*.c))
SOURCES := build.js $(shell find backend protocols host guest bench -name '*.ts' -not -name '*.test.ts') $(wildcard backend/view/page/*)

build: dist/.built addon kernel module build/base.cpio $(PARTITIONS)

packages:
	@host/packages.sh build

test-packages: packages
	@host/packages.sh test

# The package epoll is compiled, with the headers that came with Node.js; without them npm looks for them on the network.
node_modules/.package-lock.json: package.json package-lock.json | packages
	@echo '== npm packages'
	@prefix=$$(node -p 'path.resolve(process.execPath, "../..")'); \
	[ ! -e "$$prefix/include/node/node.h" ] || export npm_config_nodedir="$$prefix"; \
	npm ci --no-progress --loglevel=error
	@[ -e node_modules/epoll/build/Release/epoll.node ] || echo 'epoll could not be compiled: no edges of GPIO lines here'
	@touch $@

dist/.built: node_modules/.package-lock.json $(SOURCES)
	@echo '== dist/'
	@node build.js
	@chmod +x dist/backend/cli/main.js
	@touch $@

addon: packages node_modules/.package-lock.json
	@$(MAKE) --no-print-directory -s -C host/native

kernel: packages
	@mkdir -p build
	@folder=$$(host/uml/kernel.sh build) && ln -sfn "$$folder/linux" build/linux

# The kernel of KVM guests.
kvm-kernel: packages
	@mkdir -p build
	@folder=$$(host/kvm/kernel.sh build) && ln -sfn "$$folder/vmlinux" build/kvm-linux

# That of machines in QEMU that have KVM where this one has not.
nested-kernel: test-packages
	@host/kvm/nested/kernel.sh build >/dev/null

# The kernel module of virtual boards.
module: kernel
	@kmod/build.sh uml

arm-kernel: test-packages
	@host/arm/kernel.sh build >/dev/null

# Moved to its name when it is whole.
build/vt-source: kernel-patches/vt/series $(wildcard kernel-patches/vt/*.patch) | packages
	@echo '== $@'
	@rm -rf $@ $@.part
	@host/patched-source.sh $@.part vt
	@mv $@.part $@ && touch $@

build/base.cpio: packages $(shell find guest -type f -not -name '*.ts')
	@mkdir -p build
	@guest/build.sh $@

# The programs of examples/partitions.
build/partitions/%.elf: examples/partitions/%.c $(wildcard guest/partition/*.[chS] guest/partition/*.ld guest/partition/*.sh) protocols/hypercall/hypercall.h | packages
	@mkdir -p $(@D)
	@guest/partition/build.sh $@ $<

demo: build
	@dist/backend/cli/main.js run examples/two-nodes.yaml
	@dist/backend/cli/main.js run examples/mixed/mixed.yaml

test: build lint test-packages kvm-kernel arm-kernel nested-kernel
	@tests/all.sh

# What `make test` leaves out: machines that are emulated, and every test of the module and of virtual time in each.
test-kernels: build test-packages kvm-kernel arm-kernel nested-kernel build/vt-source
	@npx --no-install vitest run --project kernels
	@kmod/test.sh
	@host/arm/test.sh
	@kernel-patches/vt/test.sh -a x86 -o build/vt-x86 build/vt-source
	@folder=$$(host/uml/kernel.sh path) && kernel-patches/vt/test.sh -a um -k "$$folder/linux" "$$folder/build"
	@folder=$$(host/arm/kernel.sh path) && kernel-patches/vt/test.sh -a arm -k "$$folder/zImage" "$$folder/arm-vt"

# What the bare engine is compared with; without it there is no comparison.
build/simpy:
	@mkdir -p build
	@python3 -m pip install --quiet --disable-pip-version-check --root-user-action=ignore --target $@ simpy==4.1.2 || \
	echo 'SimPy could not be installed: the engine is measured without it'

bench: build build/simpy
	@node dist/bench/main.js

lint: node_modules/.package-lock.json
	@npx --no-install biome ci --error-on-warnings . && npx --no-install tsc --noEmit && npx --no-install tsc --noEmit -p backend/view/page

clean:
	rm -rf build dist kmod/build
