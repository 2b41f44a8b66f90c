# Everything a person or CI does here. `make help` lists it; the work is in scripts/ and guest/.
PREFIX ?= /usr/local
DESTDIR ?=

.DEFAULT_GOAL := all
.PHONY: all build guest demo test check unit integration lab debian-13 fuzz soak bench install uninstall clean help

all: build guest ## Build the executables and the guest image into artifacts/ (the default)

build: ## Publish kata-runtime and kata-agent with NativeAOT
	@scripts/dependencies build
	@scripts/build

guest: ## Make the guest's kernel and initramfs, and fetch virtiofsd where the system's is old; KATA_GUEST_KERNEL=tuned compiles a kernel
	@scripts/dependencies build guest kernel
	@scripts/build kata-agent
	@guest/build --kernel "$${KATA_GUEST_KERNEL:-packaged}"
	@scripts/virtiofsd --needed

demo: ## Install what is missing, build, and run a container in its own virtual machine
	@scripts/demo

test: ## Run all tests, installing what they need; the last line counts all suites together
	@scripts/dependencies build guest kernel test
	@scripts/build
	@guest/build --kernel "$${KATA_GUEST_KERNEL:-packaged}"
	@scripts/virtiofsd --needed
	@scripts/test

check: ## The gates: formatting, warnings as errors, shell scripts, the repository's rules
	@scripts/dependencies build
	@scripts/check

unit: ## Run the unit tests and the repository's rules; needs no root and no virtual machine
	@scripts/dependencies build unit
	@scripts/test unit repo

integration: all ## Run the tests with real virtual machines
	@scripts/dependencies test
	@scripts/test integration

lab: all ## Run the KVM and vhost-vsock tests on an emulated host that has both
	@scripts/dependencies lab
	@scripts/test lab

debian-13: all ## Make a Debian 13 from nothing, and in it the guest and a core of the tests
	@scripts/dependencies test
	@scripts/test debian-13

fuzz: ## Fuzz every parser for FUZZ_SECONDS (60 unless told) and print what was reached; FUZZ_KEEP=1 adds to the corpora
	@scripts/dependencies build fuzz
	@scripts/fuzz

soak: all ## Run CYCLES machines (1000 unless told) one after the other, and look for anything left behind
	@scripts/dependencies test
	@scripts/soak

bench: all ## Measure against runc, runsc and a bare boot, and print ratios
	@scripts/dependencies bench
	@scripts/bench

install: all ## Install to $(DESTDIR)$(PREFIX)
	@PREFIX='$(PREFIX)' DESTDIR='$(DESTDIR)' scripts/install

uninstall: ## Remove what install put there
	@PREFIX='$(PREFIX)' DESTDIR='$(DESTDIR)' scripts/install --remove

clean: ## Remove artifacts/; downloaded packages stay in .cache/
	@rm -rf artifacts

help: ## Show this
	@sed -n 's/^\([a-z0-9-]*\):[^#]*## \(.*\)/\1|\2/p' $(MAKEFILE_LIST) | while IFS='|' read -r name text; do printf '  %-12s %s\n' "$$name" "$$text"; done
