"""`effen`: the command line."""

import asyncio
import json
import logging
import os
import sys
from collections.abc import Callable, Coroutine, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from app import creditor_files, engine, logs, trained
from app.check import findings
from app.settings import Settings
from core.clock import SystemClock
from core.errors import EffenError
from core.ids import CreditorKey
from core.imported import Imported
from store.database import Database
from store.schema import migrate as bring_to_head


class Commands(click.Group):
    """Our own errors are told in one line, without a trace."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except EffenError as error:
            raise click.ClickException(str(error)) from None


@click.group(cls=Commands)
@click.option("--verbose", is_flag=True, help="Log more.")
@click.pass_context
def main(ctx: click.Context, verbose: bool) -> None:
    """Effen: decent conversations about invoices."""
    settings = Settings().with_secrets()
    logs.configure(production=settings.production, level=logging.DEBUG if verbose else logging.INFO)
    ctx.obj = settings


def _run(work: Coroutine[Any, Any, Any]) -> Any:
    try:
        return asyncio.run(work)
    except KeyboardInterrupt:
        return None


@main.command()
@click.option("--fresh", is_flag=True, help="Forget everything and load the demo anew.")
@click.pass_obj
def demo(settings: Settings, fresh: bool) -> None:
    """Load the demo shop, start engine and app, print the addresses."""
    from app.demo import run

    _run(run(settings, fresh=fresh))


@main.command()
@click.option("--roles", default="web,worker,scheduler", show_default=True, help="What this process does.")
@click.pass_obj
def serve(settings: Settings, roles: str) -> None:
    """Run the app: all roles by default, or any of them in a process of its own."""
    chosen = {role.strip() for role in roles.split(",")}
    if unknown := chosen - {"web", "worker", "scheduler"}:
        raise click.BadParameter(f"there is no role {', '.join(sorted(unknown))}: choose of web, worker, scheduler")
    if settings.production and (wrong := _run(findings(settings, os.environ))):
        raise click.ClickException("not started:\n  " + "\n  ".join(wrong))
    from app.server import serve as run

    _run(run(settings, chosen))


@main.command("engine")
@click.option("--processes", default=0, help="How many; by default one for each address in EFFEN_ENGINE_URL.")
@click.pass_obj
def run_engine(settings: Settings, processes: int) -> None:
    """Run the Rasa engine, on the ports of EFFEN_ENGINE_URL."""
    ports = engine.ports(settings)
    if processes > len(ports):
        ports += [ports[-1] + number for number in range(1, processes - len(ports) + 1)]

    if ended := _run(engine.serve(settings, ports[: processes or None])):
        raise click.ClickException(f"an engine has ended (exit {ended}); its own words are above")


@main.command()
@click.option("--force", is_flag=True, help="Also when nothing changed.")
@click.pass_obj
def train(settings: Settings, force: bool) -> None:
    """Train understanding and dialogue where their inputs changed."""
    trained.everything(settings, click.echo, force=force)


@main.command()
@click.pass_obj
def migrate(settings: Settings) -> None:
    """Bring the database's schema to head."""
    bring_to_head(settings.store_url)
    click.echo("The schema is up to date.")


@main.group()
def creditor() -> None:
    """Whom we speak for."""


@creditor.command("apply")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.pass_obj
def creditor_apply(settings: Settings, file: Path) -> None:
    """Create or change the creditor that FILE describes."""
    config = creditor_files.read(file)

    async def apply(db: Database) -> None:
        await creditor_files.apply(db, SystemClock(), config)

    _with_database(settings, apply)
    click.echo(f"{config.name} ({config.key}) is applied.")


@main.command("import")
@click.argument("kind", type=click.Choice(["debtors", "invoices", "letters", "orders", "products", "faq", "statement"]))
@click.argument("file", type=click.Path(exists=True, path_type=Path))
@click.option("--creditor", "key", required=True, help="Whose data it is.")
@click.option("--dry-run", is_flag=True, help="Check every row, change nothing.")
@click.pass_obj
def import_file(settings: Settings, kind: str, file: Path, key: str, dry_run: bool) -> None:
    """Load FILE, or a folder of UBL invoices; what is bad is listed with its place and reason, the rest loads."""
    from app.imports import load, load_folder

    folder = sorted(each for each in file.iterdir() if each.suffix.lower() == ".xml") if file.is_dir() else None
    if kind == "statement" and folder is None:
        _statement(settings, file, key, dry_run)
        return
    content = b"" if folder is not None else file.read_bytes()

    async def run(db: Database) -> Mapping[str, Imported]:
        if folder is not None:
            return await load_folder(db, SystemClock(), kind, folder, key, dry_run=dry_run)
        return {file.name: await load(db, SystemClock(), settings, kind, content, key, dry_run=dry_run)}

    results = _with_database(settings, run)
    loaded, unchanged, bad = (
        sum(each) for each in zip(*((r.loaded, r.unchanged, len(r.bad)) for r in results.values()), strict=True)
    )
    would = "would be " if dry_run else ""
    click.echo(f"{kind}: {loaded} {would}loaded, {unchanged} unchanged, {bad} bad.")
    for name, result in results.items():
        for line, reason in result.bad:
            click.echo(f"{name}:{line}: {reason}", err=True)
    if bad:
        sys.exit(1)


@main.group()
def statement() -> None:
    """The creditor's bank account."""


@statement.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--creditor", "key", required=True, help="Whose account.")
@click.option("--dry-run", is_flag=True, help="Check the file, change nothing.")
@click.pass_obj
def statement_import(settings: Settings, file: Path, key: str, dry_run: bool) -> None:
    """Take a bank statement, CAMT.053: what is sure is booked, the rest waits in the desk."""
    _statement(settings, file, key, dry_run)


def _statement(settings: Settings, file: Path, key: str, dry_run: bool) -> None:
    from app.statements import load

    if not file.is_file():
        raise click.BadParameter(f"{file} is not a file")
    content = file.read_bytes()

    async def run(db: Database) -> str:
        return await load(db, SystemClock(), key, content, dry_run=dry_run)

    click.echo(_with_database(settings, run))


@main.group()
def letter() -> None:
    """What was sent by post or e-mail: costs rest on it."""


@letter.command("record")
@click.option("--creditor", "key", required=True, help="Whose letter.")
@click.option("--invoice", "invoice_number", required=True, help="The number of the invoice that it is about.")
@click.option("--kind", required=True, type=click.Choice(["first_reminder", "fourteen_days", "reminder"]))
@click.option("--sent-at", required=True, help="ISO 8601; without an offset in the creditor's time zone.")
@click.option("--channel", required=True, type=click.Choice(["email", "post"]))
@click.option("--received-on", default=None, help="The day of its receipt, once it is known.")
@click.option("--costs", default=None, help="As the letter names them: 40.00.")
@click.option("--file", "sent", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="As it was sent.")
@click.option("--hash", "digest", default=None, help="The SHA-256 of that file, where it is elsewhere.")
@click.pass_obj
def letter_record(settings: Settings, /, key: str, sent: Path | None, digest: str | None, **given: str | None) -> None:
    """Record a letter, or later the day of its receipt; the same letter twice is one."""
    from app.letters import record

    if (sent is None) == (digest is None):
        raise click.UsageError("say which letter: with --file, or with --hash")
    content = sent.read_bytes() if sent else None

    async def run(db: Database) -> bool:
        return await record(db, SystemClock(), key, given, content=content, digest=digest)

    click.echo("The letter is recorded." if _with_database(settings, run) else "The letter was recorded before.")


@main.group()
def report() -> None:
    """What the books say."""


@report.command("remittance")
@click.option("--creditor", "key", required=True, help="Whose account.")
@click.option("--date", "day", required=True, type=click.DateTime(["%Y-%m-%d"]), help="Of the creditor's time zone.")
@click.pass_obj
def report_remittance(settings: Settings, key: str, day: datetime) -> None:
    """Print what moved on the creditor's account on a day, as CSV; its sums go to standard error."""
    from billing.remittance import remittance
    from conversations.creditors import Creditors

    async def run(db: Database) -> Any:
        return await remittance(db, await Creditors(db).get(key), day.date())

    found = _with_database(settings, run)
    click.echo(found.csv(), nl=False)
    for total in found.totals:
        names = " ".join(name for name in (total.provider, total.method, total.kind) if name)
        click.echo(f"{names}: {total.count}, {total.amount.decimal} {total.amount.currency}", err=True)
    for amount in found.sums:
        click.echo(f"in all: {amount.decimal} {amount.currency}", err=True)


@main.group()
def agent() -> None:
    """The people who work in the desk."""


@agent.command("add")
@click.argument("email")
@click.option("--name", required=True)
@click.option("--role", required=True, type=click.Choice(["agent", "supervisor", "marketer", "admin", "care"]))
@click.option("--creditor", "key", required=True)
@click.pass_obj
def agent_add(settings: Settings, email: str, name: str, role: str, key: str) -> None:
    """Make an account for the desk; the password is asked for, or made and printed."""
    from desk.accounts import Accounts, generate_password

    typed = click.prompt("Password (empty: make one)", default="", hide_input=True) if sys.stdin.isatty() else ""
    password = typed or generate_password()

    async def run(db: Database) -> None:
        await Accounts(db, SystemClock()).add(CreditorKey(key), email, name, role, password)

    _with_database(settings, run)
    click.echo(f"{name} can log in at {settings.public_url}/desk as {email}" + ("." if typed else f": {password}"))


@main.command()
@click.option("--creditor", "key", default=None)
@click.option("--locale", default=None)
@click.pass_obj
def chat(settings: Settings, key: str | None, locale: str | None) -> None:
    """Talk to the bot here, through the running app's REST channel."""
    from app.terminal import talk

    _run(talk(settings.public_url, key, locale))


@main.command()
@click.pass_obj
def understand(settings: Settings) -> None:
    """Read one message a line, print what was understood, as JSON."""
    understanding = trained.understanding(settings)
    for line in sys.stdin:
        parse = understanding.parse(line.rstrip("\n")).as_json()
        click.echo(json.dumps(parse, ensure_ascii=False))


@main.group()
def training() -> None:
    """What the bot was not sure of, and a lead has judged at the desk."""


@training.command("export")
@click.argument("file", type=click.Path(dir_okay=False, writable=True, path_type=Path))
@click.option("--language", required=True, type=click.Choice(["nl", "en", "fr", "de"]))
@click.option("--creditor", "key", default=None, help="Of one creditor; by default of all.")
@click.pass_obj
def training_export(settings: Settings, file: Path, language: str, key: str | None) -> None:
    """Write the accepted sentences to FILE, for an engineer to read: nothing is trained."""
    from conversations.training import accepted, as_yaml

    async def run(db: Database) -> Any:
        return await accepted(db, language, CreditorKey(key) if key else None)

    sentences = _with_database(settings, run)
    file.write_text(as_yaml(sentences), "utf-8")
    click.echo(f"{len(sentences)} sentences are in {file}.")


@main.command()
@click.pass_obj
def check(settings: Settings) -> None:
    """Say what is wrong with the configuration, before it hurts."""
    found = _run(findings(settings, os.environ))
    for finding in found:
        click.echo(f"✗ {finding}", err=True)
    if found:
        sys.exit(1)
    click.echo("✓ nothing found")


@main.command()
@click.argument("data", required=False)
@click.argument("days", type=int, required=False)
@click.pass_obj
def retention(settings: Settings, data: str | None, days: int | None) -> None:
    """Show how many days each class of data is kept, or set it: `effen retention messages 365`."""
    from conversations.retention import days_of, keep

    if data is not None and days is None:
        raise click.UsageError("say how many days, as in `effen retention messages 365`")

    async def run(db: Database) -> dict[str, int]:
        if data is not None and days is not None:
            await keep(db, data, days)
        return await days_of(db)

    for name, kept in _with_database(settings, run).items():
        click.echo(f"{name:10} {kept} days")


@main.command()
@click.option("--now", "moment", default=None, help="As at this time (ISO 8601).")
@click.pass_obj
def tick(settings: Settings, moment: str | None) -> None:
    """Run the scheduler once."""
    from app.server import tick as run

    try:
        at = datetime.fromisoformat(moment) if moment else None
    except ValueError:
        raise click.BadParameter(f"“{moment}” is not a moment such as 2026-11-22T09:00:00+01:00") from None
    _run(run(settings, at.replace(tzinfo=at.tzinfo or UTC) if at else None))


def _with_database(settings: Settings, work: Callable[[Database], Coroutine[Any, Any, Any]]) -> Any:
    async def run() -> Any:
        db = Database(settings.store_url)
        try:
            return await work(db)
        finally:
            await db.close()

    bring_to_head(settings.store_url)
    return _run(run())
