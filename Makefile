# Everything a newcomer needs: `make demo`. Everything CI asks: `make check`.
# uv is brought along; it fetches the two Pythons where the machine has none.
UV := .tools/bin/uv
UV_VERSION := 0.13.9
APP := .venv/bin
# More threads than cores cost an encoder dearly; compiled bytecode makes Rasa start four times faster.
export OMP_NUM_THREADS := 1
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo install train tune second test check format lint types imports check-tests bench nlu-report soak clean

demo: install
	@$(APP)/effen demo

install: .venv/.synced .venv-engine/.synced

$(UV):
	@echo "Installing uv …"
	@python3 -m venv .tools && .tools/bin/pip install -q --disable-pip-version-check uv==$(UV_VERSION)

.venv/.synced: uv.lock pyproject.toml | $(UV)
	@echo "Installing the app's environment …"
	@$(UV) sync -q --frozen -p 3.12 --compile-bytecode
	@touch $@

.venv-engine/.synced: uv.lock pyproject.toml | $(UV)
	@echo "Installing the engine's environment (Rasa) …"
	@UV_PROJECT_ENVIRONMENT=.venv-engine $(UV) sync -q --frozen --only-group engine -p 3.10 --compile-bytecode
	@touch $@

train: install
	@$(APP)/effen train

# Teach the encoder's layers our sentences (docs in understanding/tuning.py): an hour on two cores, minutes on a GPU.
# Needs a Python that torch knows; MORE is passed on: make tune MORE="--epochs 2 --earlier var/tuning/epoch3.pt"
TUNE_PYTHON ?= python3
.venv-tune/.synced: deploy/tuning.txt
	@$(TUNE_PYTHON) -m venv .venv-tune && .venv-tune/bin/pip install -q --disable-pip-version-check -r $<
	@touch $@

tune: .venv-tune/.synced
	@nice -n 19 .venv-tune/bin/python -m understanding.tuning bot/data/nlu understanding/tuned --kept var/tuning $(MORE)
	@nice -n 19 .venv-tune/bin/python -m understanding.second bot/data/nlu understanding/tuned --kept var/untuned

# Fit the second opinion on care to the sentences as they are now; tuning need not run again. Minutes, without torch.
second: install
	@$(APP)/python -m understanding.second bot/data/nlu understanding/tuned --kept var/untuned

# The everyday loop: SQLite, the smoke scripts, three minutes.
test: install train
	@$(APP)/pytest -n 2 --dist loadfile -m "not slow and not soak and not browser"

# All that CI asks, on SQLite and PostgreSQL, with a browser.
check: install format lint types imports train check-tests

format: install
	@$(APP)/ruff format --check .

lint: install
	@$(APP)/ruff check .

types: install
	@$(APP)/mypy

imports: install
	@$(APP)/lint-imports

check-tests: install train
	@deploy/with-postgres $(APP)/pytest -n 2 --dist loadfile

bench: install train
	@$(APP)/python -m bench

# How well held-out messages are understood (docs/understanding.md); the first time it also trains the untuned model.
nlu-report: install train
	@$(APP)/python -m bench.nlu
	@$(APP)/python -m bench.answers

# The long forms: crashes, two processes on one database, 2,000 conversations by chance.
soak: install train
	@deploy/with-postgres $(APP)/pytest -m "slow or soak"

clean:
	@rm -rf .venv .venv-engine .tools var
