"""`python -m bench.nlu [--into PAGE]`: how well held-out messages are understood, as Markdown and as JSON in `var/`."""

import argparse
import json
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from app.settings import Settings
from bench.nlu.page import page
from bench.nlu.report import measure

_BEGIN, _END = "<!-- figures -->", "<!-- end of figures -->"


def main() -> None:
    arguments = argparse.ArgumentParser(prog="python -m bench.nlu", description=__doc__)
    arguments.add_argument("--into", type=Path, help=f"a page whose part between {_BEGIN} and {_END} is replaced")
    into: Path | None = arguments.parse_args().into
    settings = Settings()
    report = measure(settings.model_dir, settings.var_dir / "untuned", datetime.now(UTC).date())
    written = json.dumps(asdict(report), indent=1, ensure_ascii=False)
    (settings.var_dir / "nlu-report.json").write_text(written + "\n", "utf-8")
    text = page(report)
    if into is not None:
        before, _, rest = into.read_text("utf-8").partition(_BEGIN)
        _, _, after = rest.partition(_END)
        into.write_text(f"{before}{_BEGIN}\n\n{text}\n\n{_END}{after}", "utf-8")
    print(text)


if __name__ == "__main__":
    main()
