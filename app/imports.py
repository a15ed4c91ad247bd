"""`effen import`: a file's format is read from the file."""

from pathlib import Path

from app import trained
from app.settings import Settings
from billing.imports import debtors, invoices, orders
from catalogue.imports import load_faq, load_products
from conversations.creditors import Creditors
from core.clock import Clock
from core.errors import BadInput
from core.imported import Imported
from store.database import Database


async def load(
    db: Database, clock: Clock, settings: Settings, kind: str, file: Path, key: str, *, dry_run: bool = False
) -> Imported:
    """Load `file` for the creditor `key`. Raises NotFound, and BadInput for a file that cannot be read as its kind."""
    return await load_text(db, clock, settings, kind, _text(file), key, dry_run=dry_run)


async def load_text(
    db: Database, clock: Clock, settings: Settings, kind: str, text: str, key: str, *, dry_run: bool = False
) -> Imported:
    creditor = await Creditors(db).get(key)
    match kind:
        case "debtors":
            return await debtors.load(db, clock, creditor, text, dry_run=dry_run)
        case "invoices":
            return await invoices.load(db, clock, creditor, text, dry_run=dry_run)
        case "orders":
            return await orders.load(db, clock, creditor, text, dry_run=dry_run)
        case "products":
            encoder = trained.understanding(settings)
            return await load_products(db, clock, encoder, creditor, text, dry_run=dry_run)
        case "faq":
            encoder = trained.understanding(settings)
            return await load_faq(db, clock, encoder, creditor, text, dry_run=dry_run)
    raise BadInput(f"there is nothing to import called {kind}")


def _text(file: Path) -> str:
    try:
        return file.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadInput(f"{file.name} is not UTF-8 (byte {error.start}): save it as “CSV UTF-8”") from None
