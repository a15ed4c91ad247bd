"""Settings: environment variables with `EFFEN_` in front (docs/operations.md lists them)."""

import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

PREFIX = "EFFEN_"


class _Files(PydanticBaseSettingsSource):
    """Secrets also as files: `EFFEN_SECRET_KEY_FILE=/run/secrets/key` (Docker, Kubernetes)."""

    def get_field_value(self, field: Any, field_name: str) -> tuple[Any, str, bool]:
        path = os.environ.get(f"{PREFIX}{field_name.upper()}_FILE")
        return (Path(path).read_text().strip() if path else None), field_name, False

    def __call__(self) -> dict[str, Any]:
        found = {name: self.get_field_value(None, name)[0] for name in self.settings_cls.model_fields}
        return {name: value for name, value in found.items() if value is not None}


class Settings(BaseSettings):
    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="ignore")

    database_url: str = ""  # default: SQLite under var_dir
    engine_database_url: str = ""  # the engine's own store; default: SQLite under var_dir
    redis_url: str = ""
    public_url: str = "http://localhost:8080"
    host: str = "127.0.0.1"
    port: int = Field(default=8080, ge=0, le=65535)
    actions_url: str = "http://127.0.0.1:5055/webhook"
    trusted_proxies: str = ""
    engine_url: str = "http://127.0.0.1:5005"
    engine_token: str = ""
    engine_python: str = ""  # default: .venv-engine beside the code
    encoder_model: str = ""
    secret_key: str = ""
    environment: Literal["development", "production"] = "development"
    smtp_url: str = ""  # smtp://user:password@host:587 for urgent alerts
    alerts_from: str = "effen@localhost"
    var_dir: Path = Path("var")
    twilio_account_sid: str = ""
    twilio_auth_token: str = ""
    twilio_api_url: str = "https://api.twilio.com"
    telegram_api_url: str = "https://api.telegram.org"
    mollie_api_url: str = "https://api.mollie.com"
    stripe_api_url: str = "https://api.stripe.com"
    buckaroo_api_url: str = "https://checkout.buckaroo.nl"

    @field_validator("public_url")
    @classmethod
    def _bare(cls, value: str) -> str:
        return value.rstrip("/")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, env_settings, _Files(settings_cls)

    @property
    def production(self) -> bool:
        return self.environment == "production"

    @property
    def store_url(self) -> str:
        return self.database_url or f"sqlite:///{self.var_dir.resolve() / 'effen.db'}"

    @property
    def engine_store_url(self) -> str:
        """The engine's own: a schema beside the app's on PostgreSQL (bot/engine makes it), else a file."""
        if self.engine_database_url or not self.database_url.startswith("postgres"):
            return self.engine_database_url or f"sqlite:///{self.var_dir.resolve() / 'engine.db'}"
        return "postgresql" + self.database_url[self.database_url.index("://") :]

    @property
    def model_dir(self) -> Path:
        return self.var_dir / "model"

    def with_secrets(self) -> "Settings":
        """In development, secrets that nobody has set are made once and kept under var_dir."""
        if self.production:
            return self
        made = {
            name: getattr(self, name) or kept(self.var_dir / "secrets" / name)
            for name in ("secret_key", "engine_token", "twilio_auth_token")
        }
        sid = self.twilio_account_sid or "AC" + "0" * 32
        return self.model_copy(update={**made, "twilio_account_sid": sid})


def kept(path: Path) -> str:
    """The secret in this file, made where there is none yet."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        path.touch(mode=0o600)
        path.write_text(secrets.token_hex(32))
    return path.read_text().strip()


def problems(settings: Settings, environment: Mapping[str, str]) -> list[str]:
    """What is wrong with the settings, each with what to do. Production refuses to start with any."""
    found = []
    if settings.production:
        for name in ("database_url", "secret_key", "engine_token"):
            if not getattr(settings, name):
                found.append(f"{PREFIX}{name.upper()} is not set")
        if not settings.public_url.startswith("https://"):
            found.append(f"{PREFIX}PUBLIC_URL is {settings.public_url}: production needs https://")
        if settings.secret_key and len(settings.secret_key) < 32:
            found.append(f"{PREFIX}SECRET_KEY is short: use at least 32 characters")
        if not settings.trusted_proxies:
            found.append(
                f"{PREFIX}TRUSTED_PROXIES is not set: behind the proxy that ends TLS all visitors would share one "
                "address, and one visitor's typing errors would lock everybody's verification"
            )
        if not settings.smtp_url:
            found.append(f"{PREFIX}SMTP_URL is not set: nobody could be woken for a person in crisis")
    return found
