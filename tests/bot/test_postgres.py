"""The engine's store in a schema of its own, beside the app's tables."""

import os
import secrets
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url

from tests.bot.process import ActionServer, engine
from tests.bot.talk import Talk
from tests.bot.world import World

_POSTGRES = os.environ.get("EFFEN_TEST_POSTGRES_URL", "")


@pytest.mark.skipif(not _POSTGRES, reason="EFFEN_TEST_POSTGRES_URL names no PostgreSQL")
async def test_dialogues_have_a_schema_of_their_own(
    model: Path, action_server: ActionServer, world: World, tmp_path: Path
) -> None:
    schema = f"engine_{secrets.token_hex(8)}"
    url = make_url(_POSTGRES).set(drivername="postgresql").render_as_string(hide_password=False)
    admin = create_engine(make_url(_POSTGRES).set(drivername="postgresql+psycopg"))
    try:
        for turn in ("a", "b"):  # the second start finds its schema and its dialogue
            with engine(model, url, action_server.url, tmp_path / "log", POSTGRESQL_SCHEMA=schema) as process:
                talk = Talk(process.url, world)
                talk.dialogue = "one"
                assert (await talk.hear("wat staat er open", "ask_balance", turn=turn)).keys == ["verify.ask_reference"]
                assert (await talk.hear("wat staat er open", "ask_balance", turn="a")).status == 200
        with admin.connect() as connection:
            count = text(f"SELECT count(*) FROM {schema}.events WHERE type_name = 'user'")
            assert connection.scalar(count) == 2
    finally:
        with admin.begin() as connection:
            connection.execute(text(f"DROP SCHEMA IF EXISTS {schema} CASCADE"))
        admin.dispose()
