"""Our accounts at the providers, by creditor: read from the store again and again, so that nobody has to restart."""

from collections.abc import Collection, Mapping

from conversations.creditors import Creditors
from core.errors import NotFound
from core.ids import CreditorKey

# Characters of a creditor's API key: a shorter one is not taken.
SHORTEST_KEY = 32


class Accounts:
    """The mappings are changed in place: channels hold on to them."""

    def __init__(self, creditors: Creditors, environment: Mapping[str, str]) -> None:
        self._creditors = creditors
        self._environment = dict(environment)
        self.whatsapp: dict[str, str] = {}  # creditor → our number
        self.sms: dict[str, str] = {}
        self.telegram: dict[str, tuple[str, str]] = {}  # creditor → token and secret
        self.payments: dict[str, dict[str, str]] = {}  # creditor → keys of its payment provider, resolved
        self.api: dict[str, str] = {}  # creditor → the key of its own systems, resolved
        self._origins: dict[str, frozenset[str]] = {}

    async def refresh(self) -> None:
        known = {creditor.key: creditor for creditor in await self._creditors.all()}
        for table in (self.whatsapp, self.sms, self.telegram, self.payments, self.api, self._origins):
            for gone in table.keys() - known.keys():
                del table[gone]
        for key, creditor in known.items():
            channels = creditor.channels
            if channels.whatsapp:
                self.whatsapp[key] = channels.whatsapp.number
            if channels.sms:
                self.sms[key] = channels.sms.number
            if channels.telegram:
                token = creditor.secret(channels.telegram.token, self._environment)
                secret = creditor.secret(channels.telegram.secret, self._environment)
                if token and secret:
                    self.telegram[key] = (token, secret)
            secrets = {
                name: creditor.secret(value, self._environment) for name, value in creditor.payments.keys.items()
            }
            self.payments[key] = {name: secret for name, secret in secrets.items() if secret}
            if (secret := creditor.secret(creditor.api_key, self._environment)) and len(secret) >= SHORTEST_KEY:
                self.api[key] = secret
            else:
                self.api.pop(key, None)
            self._origins[key] = frozenset(channels.web.origins)

    def origins(self, creditor: str | None) -> Collection[str]:
        """The web pages that may talk to this creditor, or to any."""
        if creditor is not None:
            return self._origins.get(creditor, frozenset())
        return frozenset().union(*self._origins.values())

    def owner(self, channel: str, account: str) -> CreditorKey:
        """Whose number or bot this is. Raises NotFound."""
        if channel == "telegram":
            if account in self.telegram:
                return CreditorKey(account)
        else:
            numbers = self.whatsapp if channel == "whatsapp" else self.sms
            for creditor, number in numbers.items():
                if number == account:
                    return CreditorKey(creditor)
        raise NotFound(f"no creditor has this {channel} account")
