"""Logs: event names and ids, one JSON object a line in production. Never text, numbers, names or tokens."""

import logging
import sys

import structlog


def configure(*, production: bool, level: int = logging.INFO) -> None:
    """Call once, from the command line."""
    renderer: structlog.types.Processor = (
        structlog.processors.JSONRenderer() if production else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    # aiohttp's access log would hold the tokens of pay pages.
    logging.getLogger("aiohttp.access").setLevel(logging.CRITICAL)
    # It names letters that its font lacks: parts of people's names.
    logging.getLogger("fpdf").setLevel(logging.ERROR)
