"""CAMT.053 files as banks write them, of both versions."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from xml.sax.saxutils import escape

OURS = "NL02ABNA0123456789"
DAY = date(2026, 11, 23)


@dataclass(frozen=True)
class Tx:
    """A transaction; `minor` is what it moved, in: positive."""

    minor: int
    name: str | None = None
    iban: str | None = None
    text: str | Sequence[str] = ()
    reference: str | Sequence[str] = ()
    end_to_end: str | None = None
    bank_reference: str | None = None
    reason: str | None = None
    returned: bool = False  # a return without a reason
    side: str | None = None  # whose name and account these are: Dbtr, Cdtr
    amount: bool = True  # its own amount is told
    extra: str = ""


@dataclass(frozen=True)
class Entry:
    txs: Sequence[Tx]
    bank_reference: str | None = None
    status: str = "BOOK"
    reversal: bool = False
    day: date = DAY
    code: str | None = None  # family/subfamily
    currency: str = "EUR"
    total: int | None = None
    info: str | None = None
    details: bool = True


@dataclass(frozen=True)
class Stmt:
    entries: Sequence[Entry]
    number: str = "2026-327"
    sequence: str = "327"
    account: str = OURS
    currency: str | None = "EUR"
    opening: int = 100_000
    closing: int | None = None
    codes: tuple[str | None, str | None] = ("OPBD", "CLBD")
    between: Sequence[tuple[str, int]] = field(default_factory=list)


def one(*txs: Tx, number: str = "2026-327", version: str = "02", **values: object) -> bytes:
    """A statement with an entry for each transaction."""
    return written(Stmt([Entry([tx]) for tx in txs], number=number, **values), version=version)  # type: ignore[arg-type]


def written(*statements: Stmt, version: str = "02", namespace: str | None = None) -> bytes:
    namespace = namespace or f"urn:iso:std:iso:20022:tech:xsd:camt.053.001.{version}"
    parts = "".join(_stmt(each, version) for each in statements)
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<Document xmlns="{namespace}"><BkToCstmrStmt>'
        f"<GrpHdr><MsgId>M1</MsgId><CreDtTm>2026-11-24T06:00:00</CreDtTm></GrpHdr>{parts}</BkToCstmrStmt></Document>"
    ).encode()


def _stmt(stmt: Stmt, version: str) -> str:
    moved = sum(_total(entry) for entry in stmt.entries if entry.status == "BOOK")
    closing = stmt.opening + moved if stmt.closing is None else stmt.closing
    balances = [(code, minor) for code, minor in zip(stmt.codes, (stmt.opening, closing), strict=True) if code]
    return (
        f"<Stmt><Id>{stmt.number}</Id>{_tag('ElctrncSeqNb', stmt.sequence or None)}"
        f"<CreDtTm>2026-11-24T06:00:00</CreDtTm>"
        f"<Acct><Id><IBAN>{stmt.account}</IBAN></Id>{_tag('Ccy', stmt.currency)}</Acct>"
        + "".join(
            f"<Bal><Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp>{_amount(minor)}{_direction(minor)}"
            f"<Dt><Dt>{DAY}</Dt></Dt></Bal>"
            for code, minor in [*balances[:1], *stmt.between, *balances[1:]]
        )
        + "".join(_entry(entry, version) for entry in stmt.entries)
        + "</Stmt>"
    )


def _total(entry: Entry) -> int:
    return sum(tx.minor for tx in entry.txs) if entry.total is None else entry.total


def _entry(entry: Entry, version: str) -> str:
    total = _total(entry)
    status = entry.status if version == "02" else f"<Cd>{entry.status}</Cd>"
    code = ""
    if entry.code:
        family, sub = entry.code.split("/")
        fmly = f"<Fmly><Cd>{family}</Cd><SubFmlyCd>{sub}</SubFmlyCd></Fmly>"
        code = f"<BkTxCd><Domn><Cd>PMNT</Cd>{fmly}</Domn></BkTxCd>"
    details = "".join(_details(tx, version, entry, len(entry.txs) > 1) for tx in entry.txs) if entry.details else ""
    return (
        f"<Ntry>{_amount(total, entry.currency)}{_direction(total)}"
        + ("<RvslInd>true</RvslInd>" if entry.reversal else "")
        + f"<Sts>{status}</Sts><BookgDt><Dt>{entry.day}</Dt></BookgDt><ValDt><Dt>{entry.day}</Dt></ValDt>"
        + _tag("AcctSvcrRef", entry.bank_reference)
        + code
        + (f"<NtryDtls>{details}</NtryDtls>" if details else "")
        + _tag("AddtlNtryInf", entry.info)
        + "</Ntry>"
    )


def _details(tx: Tx, version: str, entry: Entry, batch: bool) -> str:
    refs = _tag("AcctSvcrRef", tx.bank_reference) + _tag("EndToEndId", tx.end_to_end)
    amount = ""
    if batch and tx.amount:
        amount = (
            f"<AmtDtls><TxAmt>{_amount(tx.minor, entry.currency)}</TxAmt></AmtDtls>"
            if version == "02"
            else _amount(tx.minor, entry.currency) + _direction(tx.minor)
        )
    side = tx.side or "Dbtr"
    name = _tag("Nm", tx.name)
    party = f"<{side}>{name if version == '02' else f'<Pty>{name}</Pty>'}</{side}>" if tx.name else ""
    account = f"<{side}Acct><Id><IBAN>{tx.iban}</IBAN></Id></{side}Acct>" if tx.iban else ""
    texts = [tx.text] if isinstance(tx.text, str) else tx.text
    references = [tx.reference] if isinstance(tx.reference, str) else tx.reference
    remittance = "".join(_tag("Ustrd", text) for text in texts) + "".join(
        f"<Strd><CdtrRefInf><Tp><CdOrPrtry><Cd>SCOR</Cd></CdOrPrtry></Tp>{_tag('Ref', each)}</CdtrRefInf></Strd>"
        for each in references
    )
    returned = f"<RtrInf><Rsn><Cd>{tx.reason}</Cd></Rsn></RtrInf>" if tx.reason else "<RtrInf/>" if tx.returned else ""
    return (
        f"<TxDtls>{f'<Refs>{refs}</Refs>' if refs else ''}{amount}"
        + (f"<RltdPties>{party}{account}</RltdPties>" if party or account else "")
        + (f"<RmtInf>{remittance}</RmtInf>" if remittance else "")
        + returned
        + tx.extra
        + "</TxDtls>"
    )


def _amount(minor: int, currency: str = "EUR") -> str:
    return f'<Amt Ccy="{currency}">{abs(minor) // 100}.{abs(minor) % 100:02d}</Amt>'


def _direction(minor: int) -> str:
    return f"<CdtDbtInd>{'CRDT' if minor >= 0 else 'DBIT'}</CdtDbtInd>"


def _tag(name: str, value: str | None) -> str:
    return "" if value is None else f"<{name}>{escape(value)}</{name}>"
