"""A mail server's stand-in: takes what it is given and keeps it (RFC 5321, as far as smtplib needs it)."""

import asyncio
from dataclasses import dataclass
from email import message_from_bytes
from email.message import Message
from email.policy import default
from typing import Self


@dataclass(frozen=True)
class Mail:
    sender: str
    recipients: tuple[str, ...]
    message: Message

    @property
    def text(self) -> str:
        return str(self.message)


class FakeSmtp:
    """`mails` are those it has taken. `refusing`: how many of the next mails it does not take for now."""

    def __init__(self) -> None:
        self.mails: list[Mail] = []
        self.refusing = 0
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server
        self._server.close()
        await self._server.wait_closed()

    @property
    def url(self) -> str:
        assert self._server
        host, port = self._server.sockets[0].getsockname()
        return f"smtp://{host}:{port}"

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        sender, recipients = "", []
        writer.write(b"220 mail.example.test ESMTP\r\n")
        while line := (await reader.readline()).decode().strip():
            verb, _, rest = line.partition(" ")
            reply = "250 OK"
            match verb.upper():
                case "MAIL":
                    sender = _address(rest)
                    if self.refusing:
                        self.refusing -= 1
                        reply = "451 4.3.0 try again later"
                case "RCPT":
                    recipients.append(_address(rest))
                case "DATA":
                    writer.write(b"354 go on\r\n")
                    content = (await reader.readuntil(b"\r\n.\r\n"))[:-5]
                    message = message_from_bytes(content, policy=default)
                    self.mails.append(Mail(sender, tuple(recipients), message))
                case "QUIT":
                    writer.write(b"221 bye\r\n")
                    break
            writer.write(f"{reply}\r\n".encode())
        await writer.drain()
        writer.close()


def _address(path: str) -> str:
    """Of `FROM:<somebody@example.test> SIZE=100`."""
    return path.partition("<")[2].partition(">")[0]
