"""No calendar dates where a text is to stand outside of time."""

import re

from ._check import Check, brought_in, failed, passed, prose_of

_MONTH = (
    r"(?:Jan(?:uary)?|Feb(?:ruary)?|Mar(?:ch)?|Apr(?:il)?|May|June?|July?|Aug(?:ust)?"
    r"|Sep(?:t(?:ember)?)?|Oct(?:ober)?|Nov(?:ember)?|Dec(?:ember)?)\b"
)
# In capitals, since "march" and "may" are words.
_MONTH_NAMED = (
    r"(?:January|February|March|April|May|June|July|August|September|October|November|December)\b"
)
_MONTH_ELSEWHERE = (
    r"(?:janu?ari?|januar|janvier|enero|gennaio|janeiro|februari?|février|febrero|febbraio"
    r"|fevereiro|märz|maart|mars|marzo|março|april|avril|abril|aprile|mai|mei|mayo|maggio|maio"
    r"|juin|junio|giugno|junho|juni|juli|juillet|julio|luglio|julho|août|agosto|augustus|septembre"
    r"|septiembre|settembre|setembro|oktober|octobre|octubre|ottobre|outubro|novembre|noviembre"
    r"|novembro|dezember|décembre|diciembre|dicembre|dezembro)\b"
)
_YEAR = r"(?:1[5-9]|20)\d\d"
# "in 2000 words", "1500 metres" and "$1999" are amounts. Of words in -s, some are no plurals.
_AMOUNT = (
    r"(?!\d|[.,:]\d|[ \u00a0]?(?:%|[€$£]|(?:k?m|k?g|kB|[MG]B|GW|MW|Hz|px|ms|word|token|mile|people"
    r"|men|women|children|feet)\b)|[ -](?!(?:was|is|has|as|this|its|thus|does|his|us|always"
    r"|perhaps|across|series|census|elections?|crisis|class|address)\b)[a-z]+s\b)"
)

_DATE = re.compile(
    rf"\b\d{{1,2}}(?:st|nd|rd|th)?(?: of)?[ -]{_MONTH}"
    rf"|\b{_MONTH}\.? \d{{1,2}}(?:st|nd|rd|th)?\b(?![:%]|\.\d)"
    rf"|\b{_MONTH}\.?,? (?:of )?{_YEAR}\b"
    r"|\b(?:in|since|by|until|till|from|during|of|before|after|last|next|this|past|early|late|mid"
    rf"|through|throughout|between)[ -](?-i:{_MONTH_NAMED})(?!['’]s)"
    rf"|\b\d{{1,2}}\.? (?:de )?{_MONTH_ELSEWHERE}"
    rf"|\b{_MONTH_ELSEWHERE} (?:de |del )?{_YEAR}\b"
    rf"|\b{_YEAR}[-/.](?:0?[1-9]|1[0-2])[-/.](?:0?[1-9]|[12]\d|3[01])\b"
    r"|(?<![\w./])(?:0?[1-9]|[12]\d|3[01])[/.](?:0?[1-9]|[12]\d|3[01])[/.](?:\d\d)?\d\d\b(?![./]\d)"
    rf"|{_YEAR}\s?年|\d{{1,2}}\s?月\s?\d{{1,2}}\s?日|{_YEAR}\s?년|\d{{1,2}}월 ?\d{{1,2}}일",
    re.IGNORECASE,
)
_IN_A_YEAR = re.compile(
    r"\b(?:in|since|by|until|till|from|during|before|after|around|circa|early|late|mid|through"
    r"|spring|summer|autumn|fall|winter|year|copyright|©|Q[1-4]|FY|fiscal"
    rf"|anno)[ -]?(?:the )?({_YEAR})(?:s\b|\b){_AMOUNT}"
    rf"|\(({_YEAR})[a-z]?\)|\b({_YEAR}) ?[–—-] ?(?:{_YEAR}|\d\d)\b(?!-)"
    rf"|\b(?:the|a|our|its) ({_YEAR})s?(?![ -](?:and|or)\b){_AMOUNT}(?=[ -][a-z])"
    rf"|(?<![\d.,:#$€£/\w-])({_YEAR})(?=[.,;!?)]*[ \t]*$)"
    rf"|, ({_YEAR})(?=[,.;)])|\bthe ({_YEAR[:-2]}0)s\b",
    re.IGNORECASE | re.MULTILINE,
)
_STAMP = re.compile(
    r"^[ \t>*_#–—-]*(?:posted|published|updated|last updated|filed|sent|dated?|received|timestamp"
    r"|last modified|recorded)\b[*_]*(?: (?:on"
    r"|at))?[*_]*(?::[*_]*)? *(?=\S)[^\n]{0,40}?\d[^\n]{0,20}$"
    r"|\b(?:posted|published|updated|filed) (?:on|at) [^\n.]{0,20}\d{1,2}[:.]\d\d\b",
    re.IGNORECASE | re.MULTILINE,
)


def check_no_dates(text: str, *, allowed: str = "") -> Check:
    """No date, year, month that places something in time, or stamp of a byline.

    Months of a date are known in English and the larger languages of western Europe, dates in
    figures in any, and those of Chinese, Japanese and Korean.

    What it cannot see: years in words or before 1500; days of the week; "two years ago",
    "yesterday"; a holiday; a bare number that is meant as a year but stands like an amount.

    Args:
        text: What the writer returned.
        allowed: What it may repeat: dates that stand there are nobody's invention.
    """
    prose = prose_of(text)
    for pattern in (_DATE, _IN_A_YEAR, _STAMP):
        if found := brought_in(pattern, prose, allowed):
            return failed(
                "no_dates",
                f"holds a date: {found.strip()!r}; leave out when it was, or say it without a "
                "calendar",
            )
    return passed("no_dates")
