"""`effen import`: a file's format is read from the file."""

from collections.abc import Sequence
from pathlib import Path

from app import trained
from app.settings import Settings
from billing.imports import debtors, invoices, letters, orders, ubl
from billing.ubl import tree
from catalogue.imports import load_faq, load_products
from conversations.creditors import Creditors
from core.clock import Clock
from core.errors import BadInput
from core.imported import Imported
from store.database import Database


async def load(
    db: Database, clock: Clock, settings: Settings, kind: str, content: bytes, key: str, *, dry_run: bool = False
) -> Imported:
    """Load a file's content for a creditor. Raises NotFound, and BadInput where it cannot be read as its kind."""
    creditor = await Creditors(db).get(key)
    match kind:
        case "debtors":
            return await debtors.load(db, clock, creditor, content, dry_run=dry_run)
        case "invoices" if tree.is_xml(content):
            return await ubl.load(db, clock, creditor, content, dry_run=dry_run)
        case "invoices":
            return await invoices.load(db, clock, creditor, content, dry_run=dry_run)
        case "letters":
            return await letters.load(db, clock, creditor, content, dry_run=dry_run)
        case "orders":
            return await orders.load(db, clock, creditor, content, dry_run=dry_run)
        case "products":
            encoder = trained.answering(settings, trained.understanding(settings)).encoder
            return await load_products(db, clock, encoder, creditor, _text(content), dry_run=dry_run)
        case "faq":
            encoder = trained.answering(settings, trained.understanding(settings)).encoder
            return await load_faq(db, clock, encoder, creditor, _text(content), dry_run=dry_run)
    raise BadInput(f"there is nothing to import called {kind}")


async def load_folder(
    db: Database, clock: Clock, kind: str, files: Sequence[Path], key: str, *, dry_run: bool = False
) -> dict[str, Imported]:
    """Load a folder's UBL files: what became of each, by its name. Raises NotFound, and BadInput for other kinds."""
    creditor = await Creditors(db).get(key)
    if kind != "invoices" or not files:
        raise BadInput("of a folder only invoices are read: UBL files whose names end in .xml")
    return await ubl.load_all(db, clock, creditor, [(file.name, file.read_bytes) for file in files], dry_run=dry_run)


def _text(content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadInput(f"the file is not UTF-8 (byte {error.start}): save it as “CSV UTF-8”") from None
