# SPDX-License-Identifier: MIT
#
#   make demo    everything that is needed, then the main job on real guests
#   make test    everything that is needed, then every test
#   make build   everything that is needed to run: packages, addon, guest kernel, guest files
#   make bench   measurements
#   make lint    formatting, lint rules, types
#   make clean   removes what was built here (the kernel stays in the user's cache folder)
#
# A second call rebuilds nothing. KERNEL_SRC=<folder or tarball> builds the guest kernel from sources of your own.

.PHONY: build demo test bench lint clean packages kernel addon
.DEFAULT_GOAL := build

SOURCES := build.js $(shell find backend protocols host guest bench -name '*.ts' -not -name '*.test.ts')

build: dist/.built addon kernel build/base.cpio

packages:
	@host/packages.sh build

node_modules/.package-lock.json: package.json package-lock.json
	@echo '== npm packages'
	@npm ci --no-progress --loglevel=error
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

build/base.cpio: packages $(shell find guest -type f -not -name '*.ts')
	@mkdir -p build
	@guest/build.sh $@

demo: build
	@dist/backend/cli/main.js run examples/two-nodes.yaml

test: build lint
	@host/packages.sh test
	@npx --no-install vitest run

bench: build
	@node dist/bench/main.js

lint: node_modules/.package-lock.json
	@npx --no-install biome ci --error-on-warnings . && npx --no-install tsc --noEmit

clean:
	rm -rf build dist
