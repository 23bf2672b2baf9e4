"""Passwords, keys and the numbers of a person's accounts."""

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

from .._text import view_text
from ._check import Check, fail_check, pass_check

_SHOWN_CHARS = 4


def _is_luhn_valid(number: str) -> bool:
    digits = [int(digit) for digit in re.sub(r"\D", "", number)]
    if not 13 <= len(digits) <= 19 or len(set(digits)) == 1:
        return False
    doubled = [sum(divmod(2 * digit, 10)) for digit in digits[-2::-2]]
    return (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0


def _is_iban_valid(number: str) -> bool:
    compact = re.sub(r"\s", "", number).upper()
    if not 15 <= len(compact) <= 34:
        return False
    turned = compact[4:] + compact[:4]
    return int("".join(str(int(sign, 36)) for sign in turned)) % 97 == 1


def _is_phone_number(number: str) -> bool:
    return 7 <= len(re.sub(r"\D", "", number)) <= 15


def _is_secret(value: str) -> bool:
    # What follows "password:" is rather prose where it is a plain word.
    return len(value) >= 4 and bool(re.search(r"\d|[^\w\s].*[a-z]|[a-z][A-Z]", value))


class _CredentialType(NamedTuple):
    name: str
    pattern: re.Pattern[str]
    # Any find is valid where nothing else is said.
    is_valid: Callable[[str], bool] = bool


_CREDENTIAL_TYPES = (
    _CredentialType(
        "a private key", re.compile(r"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----")
    ),
    _CredentialType(
        "an API key",
        re.compile(
            r"\b(?:sk|pk|rk)[-_](?:[A-Za-z]+[-_])*[A-Za-z0-9_-]{16,}|\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"
            r"|\bgh[pousr]_[A-Za-z0-9]{20,}|\bgithub_pat_\w{20,}|\bglpat-[\w-]{16,}"
            r"|\bxox[abeoprs]-[\w-]{10,}|\bAIza[\w-]{30,}|\bhf_[A-Za-z0-9]{20,}"
            r"|\bnpm_[A-Za-z0-9]{30,}|\bpypi-[\w-]{30,}|\bSG\.[\w-]{16,}\.[\w-]{16,}"
        ),
    ),
    _CredentialType("a token", re.compile(r"\beyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]{8,}")),
    _CredentialType("a token", re.compile(r"\bBearer +(?P<value>[\w.~+/-]{16,}=*)", re.IGNORECASE)),
    _CredentialType(
        "a login in an address", re.compile(r"\b\w+://[^\s/:@]+:(?P<value>[^\s/@]+)@[\w.-]+")
    ),
    _CredentialType(
        "a password or key",
        re.compile(
            r"\b(?:pass(?:word|wd|phrase|code)|pwd|pin(?: code)?"
            r"|(?:api|access|secret|auth)[ _-]?(?:key|token)|client[ _-]secret|secret)[\"'`*]*"
            r"(?: is(?: now)?:?| was| ?[:=]+) ?[\"'`*“‘]*"
            r"(?P<value>[^\s\"'`*“”‘’<>{}\[\]]{4,}(?<![.,;:!?)]))",
            re.IGNORECASE,
        ),
        _is_secret,
    ),
    _CredentialType(
        "a social security number",
        re.compile(r"(?<![\d-])(?!000|666|9)\d{3}-(?!00)\d\d-(?!0000)\d{4}(?![\d-])"),
    ),
    _CredentialType(
        "an account number (IBAN)",
        re.compile(r"\b[A-Z]{2}\d\d(?:[ ]?[A-Z0-9]{4}){2,7}(?:[ ]?[A-Z0-9]{1,3})?\b"),
        _is_iban_valid,
    ),
    _CredentialType(
        "a card number",
        re.compile(r"(?<![\d.-])\d(?:[ -]?\d){12,18}(?![\d-]|\.\d)"),
        _is_luhn_valid,
    ),
    _CredentialType(
        "a telephone number",
        re.compile(
            r"(?<![\w.+])\+\d{1,3}(?:[ .-]?\(?\d{1,4}\)?){2,5}(?!\d)"
            r"|(?<![\w.])\(\d{3}\) ?\d{3}[ .-]\d{4}(?!\d)"
            r"|(?<![\w.-])\d{3}[-.]\d{3}[-.]\d{4}(?![\w-]|\.\d)"
            r"|(?<![\w.-])0\d{2,4}[ /-]\d{3,4}[ -]\d{3,5}(?![\w-])|(?<![\w.-])555-\d{4}(?![\w-])"
        ),
        _is_phone_number,
    ),
)


def check_no_credentials(text: str, *, allowed: str = "") -> Check:
    """No API key, password, token, private key, social security, account, card or phone number.

    Card and account numbers must have right check digits; a social security number that is never
    given out is none. What was found is not repeated whole in the detail, which is stored.

    What it cannot see: a password that is a plain word, or that nothing introduces as one; numbers
    in words; identity numbers of other countries than the United States.

    Args:
        text: What the writer returned.
        allowed: What it may repeat.
    """
    for name, value in _iter_credentials(view_text(text).composed):
        if value not in view_text(allowed).composed:
            return fail_check(
                "no_credentials",
                f"holds what looks like {name}: {value[:_SHOWN_CHARS]}…; leave it out",
            )
    return pass_check("no_credentials")


def _iter_credentials(text: str) -> Iterator[tuple[str, str]]:
    for credential in _CREDENTIAL_TYPES:
        for found in credential.pattern.finditer(text):
            value = found.groupdict().get("value") or found[0]
            if credential.is_valid(value):
                yield credential.name, value
