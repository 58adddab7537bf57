# All commands run through tools/lab, which prepares its parts (see README.md).
# LAB_DIR: the lab's folder (default .lab); several checkouts may share it. LAB_PYTHON: 3.11 or 3.13.
LAB = python3 -m tools.lab

# ARGS: options of pytest, of the bench, or names of environments.

.PHONY: demo test environments bench check wheel shell clean

demo:   ## set up, list the services of a real SCM, create, start, stop and delete a service
	@$(LAB) demo

test:   ## set up, run every test tier
	@$(LAB) test $(ARGS)

environments:  ## the portable tests in other orders, locales, time zones, as another user, ...
	@$(LAB) host -m tools.environments $(ARGS)

bench:  ## compare winsvc with C, pywin32 and psutil; ARGS=--quick is a short run
	@$(LAB) bench $(ARGS)

check:  ## ruff, language, spelling, mypy --strict for both platforms, pyright, generated files
	@$(LAB) check

wheel:  ## the abi3 win_amd64 wheel, in dist/
	@$(LAB) wheel

shell:  ## a Windows Python prompt in the lab
	@$(LAB) shell

clean:  ## remove build products, and the lab in .lab
	rm -rf .lab build dist src/*.egg-info
