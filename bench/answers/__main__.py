"""`python -m bench.answers [--shown | --large]`: how well questions to the demo's shop are answered, as Markdown.

--shown lists what became of each question of `dev`; --large: how long a search takes among 20,000 products.
"""

import argparse
import asyncio
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from app import creditor_files, trained
from app.repository import DEMO
from app.settings import Settings
from bench.answers import large
from bench.answers.figures import Judged, judge
from bench.answers.page import page, shown
from bench.answers.questions import names, questions
from catalogue.answers import Answering, Answers
from catalogue.imports import load_faq, load_products
from catalogue.ranking import Ranking
from core.clock import SystemClock
from core.creditor import Creditor
from core.ids import CreditorKey
from core.message import Locale
from store.database import Database
from store.tables import metadata


@asynccontextmanager
async def demo_shop(folder: Path) -> AsyncIterator[tuple[Database, Creditor]]:
    """A store of its own with the demo's creditor."""
    db = Database(f"sqlite:///{folder / 'effen.db'}")
    shop = creditor_files.read(DEMO / "creditor.yml")
    try:
        async with db.engine.begin() as tx:
            await tx.run_sync(metadata.create_all)
        await creditor_files.apply(db, SystemClock(), shop)
        yield db, shop
    finally:
        await db.close()


async def measure(answering: Answering, folder: Path) -> list[Judged]:
    """Import the demo's products and FAQ, and ask."""
    clock, encoder = SystemClock(), answering.encoder
    async with demo_shop(folder) as (db, shop):
        await load_products(db, clock, encoder, shop, (DEMO / "products.tsv").read_text("utf-8"))
        await load_faq(db, clock, encoder, shop, (DEMO / "faq.csv").read_text("utf-8"))
        answers, known = Answers(db, answering), names()
        return [
            judge(one, await answers.find(CreditorKey(shop.key), one.text, Locale(one.language)), known)
            for one in questions()
        ]


async def _large(ranking: Ranking, folder: Path) -> large.Timed:
    async with demo_shop(folder) as (db, shop):
        return await large.measure(db, shop, ranking)


def main() -> None:
    arguments = argparse.ArgumentParser(prog="python -m bench.answers", description=__doc__)
    arguments.add_argument("--shown", action="store_true", help="list what became of each question of `dev`")
    arguments.add_argument("--large", action="store_true", help="measure a shop with 20,000 products instead")
    asked = arguments.parse_args()
    settings = Settings()
    answering = trained.answering(settings, trained.understanding(settings))
    with tempfile.TemporaryDirectory() as folder:
        if asked.large:
            print(large.page(asyncio.run(_large(answering.ranking, Path(folder)))))
            return
        judged = asyncio.run(measure(answering, Path(folder)))
    print(page(judged))
    if asked.shown:
        print(f"\n{shown(judged)}")


if __name__ == "__main__":
    main()
