"""`python -m bench.answers [--shown]`: how well questions to the demo's shop are answered, as Markdown.

--shown lists what became of each question of `dev`.
"""

import argparse
import asyncio
import tempfile
from pathlib import Path

from app import creditor_files, trained
from app.repository import DEMO
from app.settings import Settings
from bench.answers.figures import Judged, judge
from bench.answers.page import page, shown
from bench.answers.questions import names, questions
from catalogue.answers import Answers
from catalogue.imports import load_faq, load_products
from catalogue.index import Encoder
from catalogue.ranking import Ranking
from core.clock import SystemClock
from core.ids import CreditorKey
from core.message import Locale
from store.database import Database
from store.tables import metadata


async def measure(encoder: Encoder, ranking: Ranking, folder: Path) -> list[Judged]:
    """Import the demo's products and FAQ into a store of their own, and ask."""
    db, clock = Database(f"sqlite:///{folder / 'effen.db'}"), SystemClock()
    shop = creditor_files.read(DEMO / "creditor.yml")
    try:
        async with db.engine.begin() as tx:
            await tx.run_sync(metadata.create_all)
        await creditor_files.apply(db, clock, shop)
        await load_products(db, clock, encoder, shop, (DEMO / "products.tsv").read_text("utf-8"))
        await load_faq(db, clock, encoder, shop, (DEMO / "faq.csv").read_text("utf-8"))
        answers, known = Answers(db, encoder, ranking), names()
        return [
            judge(one, await answers.find(CreditorKey(shop.key), one.text, Locale(one.language)), known)
            for one in questions()
        ]
    finally:
        await db.close()


def main() -> None:
    arguments = argparse.ArgumentParser(prog="python -m bench.answers", description=__doc__)
    arguments.add_argument("--shown", action="store_true", help="list what became of each question of `dev`")
    asked = arguments.parse_args()
    settings = Settings()
    with tempfile.TemporaryDirectory() as folder:
        judged = asyncio.run(measure(trained.understanding(settings), trained.ranking(settings), Path(folder)))
    print(page(judged))
    if asked.shown:
        print(f"\n{shown(judged)}")


if __name__ == "__main__":
    main()
