"""What headers say of a provider's limits."""

from datetime import UTC, datetime

import pytest
from support.loopback import LoopbackServer, Response, message

from whyset.generators import Ask, RateLimit, RateLimits
from whyset.models import AnthropicModel
from whyset.models._anthropic import parse_rate_limits

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
HEADERS = {
    "anthropic-ratelimit-requests-remaining": "49",
    "anthropic-ratelimit-requests-reset": "2026-11-24T12:00:30Z",
    "anthropic-ratelimit-input-tokens-remaining": "20000",
    "anthropic-ratelimit-input-tokens-reset": "2026-11-24T12:01:00Z",
    "anthropic-ratelimit-output-tokens-remaining": "8000",
    "anthropic-ratelimit-output-tokens-reset": "2026-11-24T11:59:00Z",
}


def test_requests_input_and_output_tokens_have_limits_of_their_own() -> None:
    assert parse_rate_limits(HEADERS, now=NOW) == RateLimits(
        requests=RateLimit(49, 30.0),
        input_tokens=RateLimit(20000, 60.0),
        output_tokens=RateLimit(8000, 0.0),
    )


def test_a_clock_that_is_off_does_no_harm_where_the_response_has_a_date() -> None:
    headers = {**HEADERS, "date": "Tue, 24 Nov 2026 12:00:20 GMT"}
    found = parse_rate_limits(headers, now=datetime(1999, 1, 1, tzinfo=UTC))
    assert found is not None
    assert found.requests == RateLimit(49, 10.0)


def test_headers_that_say_nothing_of_limits_are_none() -> None:
    assert parse_rate_limits({"content-type": "application/json"}, now=NOW) is None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("remaining", "many"),
        ("reset", "soon"),
        ("reset", "2026-11-24T12:00:30"),
    ],
    ids=["no number", "no date", "a date without its zone"],
)
def test_what_cannot_be_read_is_left_out(name: str, value: str) -> None:
    headers = {**HEADERS, f"anthropic-ratelimit-input-tokens-{name}": value}
    found = parse_rate_limits(headers, now=NOW)
    assert found is not None
    assert found.input_tokens is None
    assert found.requests is not None


async def test_they_come_along_with_the_reply(server: LoopbackServer, prose: Ask) -> None:
    server.answer = lambda _: Response(200, message(), HEADERS)
    model = AnthropicModel("claude-loopback-1")
    reply = await model.aanswer(prose)
    await model.aclose()
    assert reply.rate_limits is not None
    assert reply.rate_limits.requests is not None
    assert reply.rate_limits.requests.remaining == 49
