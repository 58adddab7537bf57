# Everything runs through tools/lab, which prepares what it needs (see README.md).
# LAB_DIR: the lab's folder (default .lab); several checkouts may share it. LAB_PYTHON: 3.11 or 3.13.
LAB = python3 -m tools.lab

# ARGS: options of pytest, of the bench, or names of environments.

.PHONY: demo test environments bench check wheel shell clean

demo:   ## set up, list a real SCM's services, live through one service's life
	@$(LAB) demo

test:   ## set up, run every test tier
	@$(LAB) test $(ARGS)

environments:  ## the portable tests in other orders, locales, time zones, as another user, ...
	@$(LAB) host -m tools.environments $(ARGS)

bench:  ## winsvc beside C, pywin32 and psutil; ARGS=--quick takes a glance
	@$(LAB) bench $(ARGS)

check:  ## ruff, mypy --strict for both platforms, pyright, generated files
	@$(LAB) check

wheel:  ## the abi3 win_amd64 wheel, in dist/
	@$(LAB) wheel

shell:  ## a Windows Python prompt in the lab
	@$(LAB) shell

clean:  ## remove what was built, and the lab in .lab
	rm -rf .lab build dist src/*.egg-info
