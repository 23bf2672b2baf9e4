"""What a text makes up to look real: dates, figures, sources, addresses, and blanks to fill in."""

import re

from .._text import INLINE_CODE, view_text
from ._check import Check, fail_check, find_disallowed, pass_check

# ---- Dates

_MONTH = (
    r"(?:Jan(?:uary)?|Feb(?:ruary)?|Mar(?:ch)?|Apr(?:il)?|May|June?|July?|Aug(?:ust)?"
    r"|Sep(?:t(?:ember)?)?|Oct(?:ober)?|Nov(?:ember)?|Dec(?:ember)?)\b"
)
_MONTH_NAMES = (
    "January|February|March|April|May|June|July|August|September|October|November|December"
)
_MONTH_NON_ENGLISH = (
    r"(?:janu?ari?|januar|janvier|enero|gennaio|janeiro|februari?|février|febrero|febbraio"
    r"|fevereiro|märz|maart|mars|marzo|março|april|avril|abril|aprile|mai|mei|mayo|maggio|maio"
    r"|juin|junio|giugno|junho|juni|juli|juillet|julio|luglio|julho|août|agosto|augustus|septembre"
    r"|septiembre|settembre|setembro|oktober|octobre|octubre|ottobre|outubro|novembre|noviembre"
    r"|novembro|dezember|décembre|diciembre|dicembre|dezembro)\b"
)
_YEAR = r"(?:1[5-9]|20)\d\d"
# "in 2000 words", "1500 metres" and "$1999" are amounts. Of words in -s, some are no plurals.
_NOT_AMOUNT = (
    r"(?!\d|[.,:]\d|[ \u00a0]?(?:%|[€$£]|(?:k?m|k?g|kB|[MG]B|GW|MW|Hz|px|ms|word|token|mile|people"
    r"|men|women|children|feet)\b)|[ -](?!(?:was|is|has|as|this|its|thus|does|his|us|always"
    r"|perhaps|across|series|census|elections?|crisis|class|address)\b)[a-z]+s\b)"
)

# A month alone must be capitalised, since "march" and "may" are words.
_DATE = re.compile(
    rf"\b\d{{1,2}}(?:st|nd|rd|th)?(?: of)?[ -]{_MONTH}"
    rf"|\b{_MONTH}\.? \d{{1,2}}(?:st|nd|rd|th)?\b(?![:%]|\.\d)|\b{_MONTH}\.?,? (?:of )?{_YEAR}\b"
    r"|\b(?:in|since|by|until|till|from|during|of|before|after|last|next|this|past|early|late|mid"
    rf"|through|throughout|between)[ -](?-i:(?:{_MONTH_NAMES})\b)(?!['’]s)"
    rf"|\b\d{{1,2}}\.? (?:de )?{_MONTH_NON_ENGLISH}|\b{_MONTH_NON_ENGLISH} (?:de |del )?{_YEAR}\b"
    rf"|\b{_YEAR}[-/.](?:0?[1-9]|1[0-2])[-/.](?:0?[1-9]|[12]\d|3[01])\b"
    r"|(?<![\w./])(?:0?[1-9]|[12]\d|3[01])[/.](?:0?[1-9]|[12]\d|3[01])[/.](?:\d\d)?\d\d\b"
    r"(?![./]\d)"
    rf"|{_YEAR}\s?年|\d{{1,2}}\s?月\s?\d{{1,2}}\s?日|{_YEAR}\s?년|\d{{1,2}}월 ?\d{{1,2}}일",
    re.IGNORECASE,
)
_YEAR_REFERENCE = re.compile(
    r"\b(?:in|since|by|until|till|from|during|before|after|around|circa|early|late|mid|through"
    r"|spring|summer|autumn|fall|winter|year|copyright|©|Q[1-4]|FY|fiscal|anno)[ -]?(?:the )?"
    rf"({_YEAR})(?:s\b|\b){_NOT_AMOUNT}"
    rf"|\(({_YEAR})[a-z]?\)|\b({_YEAR}) ?[–—-] ?(?:{_YEAR}|\d\d)\b(?!-)"
    rf"|\b(?:the|a|our|its) ({_YEAR})s?(?![ -](?:and|or)\b){_NOT_AMOUNT}(?=[ -][a-z])"
    rf"|(?<![\d.,:#$€£/\w-])({_YEAR})(?=[.,;!?)]*[ \t]*$)|, ({_YEAR})(?=[,.;)])"
    rf"|\bthe ({_YEAR[:-2]}0)s\b",
    re.IGNORECASE | re.MULTILINE,
)
_TIMESTAMP = re.compile(
    r"^[ \t>*_#–—-]*(?:posted|published|updated|last updated|filed|sent|dated?|received|timestamp"
    r"|last modified|recorded)\b[*_]*(?: (?:on|at))?[*_]*(?::[*_]*)? *"
    r"(?=\S)[^\n]{0,40}?\d[^\n]{0,20}$"
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
        allowed: What it may repeat.
    """
    prose = view_text(text).prose
    if found := find_disallowed(prose, _DATE, _YEAR_REFERENCE, _TIMESTAMP, allowed=allowed):
        return fail_check(
            "no_dates",
            f"holds a date: {found.strip()!r}; leave out when it was, or say it without a calendar",
        )
    return pass_check("no_dates")


# ---- Figures and studies

_COUNT = r"(?:one|two|three|four|five|six|seven|eight|nine|ten|\d+)"
_POPULATION = (
    r"(?:people|users|customers|patients|respondents|participants|adults|children|students|workers"
    r"|employees|americans|companies|businesses|firms|households|women|men|teenagers|teens|parents"
    r"|teachers|doctors|nurses|developers|engineers|systems|models|assistants|cases|conversations"
    r"|answers|responses|subjects|volunteers|deaths|teams|projects|organi[sz]ations|requests)"
)
_FIGURE = re.compile(
    # "100 %" and "0 %" are manners of speaking.
    r"(?<![\d.,])(?!(?:100|0)[ \u00a0]?(?:%|per ?cent))(\d+(?:[.,]\d+)?)[ \u00a0]?"
    r"(?:%|％|per ?cent\b|percentage points?\b)"
    rf"|\b({_COUNT} (?:in|out of)(?: every)? (?:three|four|five|six|seven|eight|nine|ten|twenty"
    rf"|a hundred|a thousand|\d+)(?: {_POPULATION})?)\b"
    r"(?! (?:a row|the|my|your|steps?|ways?|minutes|hours|days)\b)"
    r"|\b((?:a|one|two|three)[ -](?:third|quarter|fifth|tenth|half)s?|half|(?:the )?vast majority"
    rf"|most) of (?:all )?{_POPULATION} (?:report|say|said|reported|prefer|trust|admit|believe"
    r"|do)\b"
    r"|\b(\d[\d,.]* ?(?:thousand|million|billion|trillion))\b"
    rf"|\b(\d{{1,3}}(?:,\d{{3}})+|\d{{3,}}) (?:\w+ )?{_POPULATION}\b|\b([nN] ?= ?\d+)"
    r"|(\bp ?[<=] ?0?\.\d+)|\b(\d+(?:\.\d+)?-fold|\d+(?:\.\d+)? times (?:more|less|as) \w+)\b",
    re.IGNORECASE,
)
_STUDY = re.compile(
    r"\b(?:a|an|one|the|another|this|recent|new|that)(?: [\w’'-]+){0,3} "
    r"(study|survey|poll|meta-analysis|trial|experiment|paper|report|investigation|audit)"
    r"(?: (?!that\b|which\b|to\b)[\w’'-]+){0,4}? "
    r"(?:found|finds|shows|showed|suggests|suggested|revealed|reveals|concluded|concludes"
    r"|demonstrated|demonstrates|reports|reported|estimates|estimated|put)\b"
    r"|\b(studies|surveys|polls|experiments|meta-analyses|trials)(?: [\w-]+){0,5}? "
    r"(?:show|shows|showed|shown|found|find|suggest|suggested|reveal|revealed|indicate|indicated"
    r"|confirm|confirmed|demonstrated?)\b"
    r"|\b(research|evidence|data|statistics|science)"
    r"(?: (?:has|have|also|consistently|clearly|increasingly|now|from \w+))* "
    r"(?:shows?|shown|showed|suggests?|suggested|indicates?|indicated|confirms?|confirmed|proves?"
    r"|proven|demonstrates?|demonstrated|tells? us)\b"
    r"(?! (?:only|no|that (?:your|this|the) (?:file|table|column))\b)"
    r"|\b(researchers|scientists|economists|psychologists|experts|analysts)(?: \w+){0,3}? "
    r"(?:found|find|discovered|showed|shown|estimate|estimated|agree|believe|report|reported)\b"
    r"|\b(peer[- ]reviewed|randomi[sz]ed controlled)\b|\bstatistically (significant)\b",
    re.IGNORECASE,
)
# A paper may be read, a report written, in any text; with a negation it claims nothing.
_NEGATION = re.compile(r"\b(?:no|not|never|if|whether|would|until|without|nor|suppose)\b", re.I)
_SENTENCE = re.compile(r"(?<=[.!?…])\s+|\n+")


def check_no_statistics(text: str, *, allowed: str = "") -> Check:
    """No percentage, share, large number or study that says something about the world.

    A number counts as allowed where the allowed text has the same digits; a study, where it has
    the same word. A study in a sentence with "no", "not", "if", "whether", … claims nothing.

    What it cannot see: figures in words ("most people"), small counts, prices, measures; whether
    a figure belongs to a made-up case ("she kept 40 % of the tips"), so a type of text that tells
    of such cases should do without this check.

    Args:
        text: What the writer returned.
        allowed: What it may repeat.
    """
    prose = view_text(text).prose
    if found := find_disallowed(prose, _FIGURE, allowed=allowed):
        return fail_check(
            "no_statistics",
            f"holds a figure about the world: {found.strip()!r}; say it without a number, or not "
            "at all",
        )
    for sentence in _SENTENCE.split(prose):
        if _NEGATION.search(sentence):
            continue
        if found := find_disallowed(sentence, _STUDY, allowed=allowed):
            return fail_check(
                "no_statistics",
                f"rests on a study that nobody can look up: {found.strip()!r}; give the reason "
                "itself",
            )
    return pass_check("no_statistics")


# ---- Authors and sources

_CAPITALIZED = r"[A-ZÀ-ÖØ-ÞŁŚŠŽİ](?:[\w'’-]{0,38}\w|\.)?"
_PARTICLE = r"(?:van|von|de|del|della|der|den|da|di|dos|la|le|bin|ibn|al|el|ter|ten|af|zu|y)"
_NAME = rf"{_CAPITALIZED}(?: (?:{_PARTICLE} ){{0,2}}{_CAPITALIZED}){{1,3}}"
_HONORIFIC = r"(?:Dr|Prof|Professor|Mr|Mrs|Ms|Sir|Dame|Rev|Judge|Justice|Senator|President)\.?"
_BYLINE = re.compile(
    r"^[ \t>]*[*_]*(?:[Bb]y|BY|[Ww]ritten by|[Ww]ords by|[Ss]tory by|[Pp]osted by|[Rr]eported by"
    rf"|[Ee]dited by|[Tt]ranslated by|[Rr]eviewed by):?[*_]* +[*_]*(?:{_HONORIFIC} )?{_NAME}[*_]*"
    r"(?=\s*(?:$|[,|·•(–—-]))"
    r"|^[ \t>]*[*_]*(?:[Aa]uthors?|[Ww]riter|[Ee]ditor|[Cc]orresponding author|[Cc]olumnist"
    r"|[Cc]orrespondent|[Aa]ffiliations?)[*_]*:[*_]* *(?!unknown|anonymous|none|n/a)\S[^\n]*$"
    rf"|^[ \t>]*(?:—|–|--?) ?[*_]*(?:{_HONORIFIC} )?{_NAME}[*_]*(?:, [^\n]{{2,80}})?[*_]*[ \t]*$"
    rf"|^[ \t>]*(?:—|–|--?) ?[*_]*{_HONORIFIC} {_CAPITALIZED}(?:, [^\n]{{2,80}})?[*_]*[ \t]*$"
    r"|^[ \t]*(?:[Bb]est|(?:[Ww]arm|[Kk]ind|[Bb]est) (?:regards|wishes)|[Rr]egards"
    r"|[Ss]incerely(?: yours)?|[Yy]ours(?: \w+)?|[Cc]heers"
    rf"|[Rr]espectfully),?[ \t]*\n+[ \t]*[*_]*{_CAPITALIZED}(?: {_CAPITALIZED}){{0,3}}",
    re.MULTILINE,
)
_CITATION = re.compile(
    rf"\((?:see |cf\. )?(?!{_MONTH_NAMES}){_CAPITALIZED}"
    rf"(?:,? (?:and|&) {_CAPITALIZED}| et al\.?)?,? (?:19|20)\d\d[a-z]?(?:[;,)]|: ?\d)"
    rf"|\b{_CAPITALIZED} et al\b|\b{_CAPITALIZED} (?:and|&) {_CAPITALIZED} \((?:19|20)\d\d\)"
    rf"|\b{_CAPITALIZED} \((?:19|20)\d\d[a-z]?\)"
)
_KNOWN_SOURCES = (
    r"(?:Anthropic|OpenAI|DeepMind|Google|Microsoft|Meta|Facebook|Apple|Amazon|IBM|Nvidia|xAI"
    r"|Mistral|Hugging Face|Stanford|Harvard|Yale|Princeton|Oxford|Cambridge|Berkeley|MIT|ETH"
    r"|Caltech|Carnegie Mellon|Reuters|Bloomberg|Forbes|Wired|Gartner|McKinsey|Deloitte|Gallup|Pew"
    r"|(?:the )?(?:BBC|CNN|NPR|WHO|UN|UNESCO|OECD|FBI|CIA|NASA|NIST|FDA|CDC|EFF|ACLU|IEEE|ACM|EU)"
    r"|(?:[Tt]he )?(?:New York|Los Angeles|Financial|Irish) Times|(?:[Tt]he )?Guardian"
    r"|(?:[Tt]he )?Washington Post|(?:[Tt]he )?Wall Street Journal|(?:[Tt]he )?Economist"
    r"|(?:[Tt]he )?Atlantic|(?:[Tt]he )?New Yorker|Nature|Science|The Lancet|Wikipedia|Elon Musk"
    r"|Sam Altman|Dario Amodei|Geoffrey Hinton|Yoshua Bengio|Stuart Russell|Nick Bostrom"
    r"|Isaac Asimov|Alan Turing|Eliezer Yudkowsky|Amanda Askell)"
)
_SAYING_VERB = (
    r"(?:says?|said|told|writes?|wrote|reports?|reported|argues?|argued|warns?|warned|explains?"
    r"|explained|notes?|noted|found|finds|published|announced|claims?|claimed|estimates?)"
)
_SOURCE_CLAIM = re.compile(
    r"\b(?i:according to|as reported (?:by|in)|as quoted (?:by|in)|reported by|in the words of"
    r"|in an interview with|as told to) (?:(?:a|an|the|some|one|many|most|several|recent|new"
    rf"|leading) ){{0,4}}(?:(?:{_HONORIFIC} )?(?P<name>{_NAME})|(?P<known>{_KNOWN_SOURCES})"
    r"|(?:\w+ )?(?P<experts>researchers|scientists|experts|economists|psychologists|historians"
    r"|philosophers|officials|sources|analysts|study|studies|survey|report|reports|poll|analysis"
    r"|research))\b"
    rf"|\b(?P<known2>{_KNOWN_SOURCES})(?:['’]s?)?(?: \w+)? "
    r"(?:study|survey|report|paper|poll|researchers?|scientists?|professor|team|spokes\w+|blog"
    r"|article)\b"
    rf"|\b(?P<known3>{_KNOWN_SOURCES}) {_SAYING_VERB}\b"
    r"|\b(?:professor|researcher|scientist|economist|philosopher|fellow|lecturer|director|PhD"
    r"|student|team|study|study out)s? (?:at|from|of) (?:the )?"
    rf"(?P<place>{_KNOWN_SOURCES}|{_CAPITALIZED}(?: {_CAPITALIZED}){{0,3}} "
    r"(?:University|Institute|College|School|Center|Centre|Lab|Laboratory|Foundation)"
    rf"|University of {_CAPITALIZED})"
    rf"|\b(?P<titled>(?:Professor|Prof\.|Dr\.?) {_CAPITALIZED}(?: {_CAPITALIZED}){{0,3}}),? "
    r"(?:of|at|from|an?|the)\b"
    rf"|\b(?P<school>(?:University|Institute|College) of {_CAPITALIZED}"
    rf"|(?:{_CAPITALIZED} ){{1,4}}(?:University|Institute))\b"
)


def check_no_authors(text: str, *, allowed: str = "") -> Check:
    """No byline, signature, citation, and nobody real or learned claimed as a source.

    What it cannot see: a person of one name in running text, whom a story may have; a source that
    is named without one of the phrases and is on no list of known ones; other languages than
    English.

    Args:
        text: What the writer returned.
        allowed: What it may repeat: the document's title, the conversation.
    """
    prose = view_text(text).prose
    if found := find_disallowed(prose, _BYLINE, allowed=allowed):
        return fail_check("no_authors", f"is signed: {found.strip()[:80]!r}; leave the author out")
    if found := find_disallowed(prose, _CITATION, _SOURCE_CLAIM, allowed=allowed):
        return fail_check(
            "no_authors",
            f"claims a source: {found.strip()[:80]!r}; "
            "give the reason itself, without an authority",
        )
    return pass_check("no_authors")


# ---- Addresses

# Endings that are words too (`in`, `it`, `is`, `at`, …) or those of files (`py`, `md`, `rs`, …) are
# left out: a space forgotten after a full stop must not make a domain.
_TOP_LEVEL_DOMAINS = (
    r"(?:com|org|net|edu|gov|mil|int|info|biz|io|ai|dev|app|xyz|eu|example|(?:co|org|ac|gov)\.uk"
    r"|com\.(?:au|br|cn|tr)|co\.(?:jp|nz|za|kr|in))"
)
_LINK = re.compile(
    r"\b(?:https?|ftp|file|wss?)://\S+|\b(?:mailto|tel):\S+|\bwww\.[\w-]+\.\S+"
    r"|(?<![\w.+-])[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63})+"
    r"|(?<![\w.+-])[\w.+-]{2,64} ?[\[(](?:at|@)[\])] ?[\w-]+(?: ?[\[(](?:dot|\.)[\])] ?|\.)\w+"
    rf"|(?<![\w@./-])(?:[a-z0-9](?:[a-z0-9-]{{0,61}}[a-z0-9])?\.){{1,8}}{_TOP_LEVEL_DOMAINS}\b"
    r"(?![\w-]|\.\w)"
    r"|\bdoi:\s?\S+|\b10\.\d{4,9}/[^\s\])>]+|\barXiv:\s?\d{4}\.\d{4,5}"
    r"|\bISBN(?:-1[03])?:? ?[\dX -]{9,}",
    re.IGNORECASE,
)
_MARKDOWN_LINK = re.compile(r"(?<!\\)\[[^\[\]\n]{1,300}\]\([^)\s]+(?: \"[^\"\n]*\")?\)")
_HANDLE = re.compile(r"(?<![\w@./`])@[A-Za-z_]\w{2,}\b(?![@.]\w)|(?<![\w/])u/[A-Za-z]\w{2,}")


def check_no_links(text: str, *, allowed: str = "") -> Check:
    """No URL, e-mail address, domain name, DOI, ISBN, Markdown link or @handle.

    Handles in code are none (a decorator looks like one); all else is found in code too.

    What it cannot see: a domain of an ending it does not know, without `www.` or a scheme; the
    name of a site that is said as a name; a street's address.

    Args:
        text: What the writer returned.
        allowed: What it may repeat.
    """
    view = view_text(text)
    found = find_disallowed(view.composed, _LINK, allowed=allowed) or find_disallowed(
        INLINE_CODE.sub("", view.prose), _MARKDOWN_LINK, _HANDLE, allowed=allowed
    )
    if found:
        return fail_check("no_links", f"holds an address: {found.strip()[:80]!r}; leave it out")
    return pass_check("no_links")


# ---- Blanks to fill in

_BLANK_NOUN = (
    r"(?:first |last |full |sur|user|company |client |customer |patient |file)?names?|dates?"
    r"|company|organi[sz]ation|city|town|country|place|location|title|time|number|amount|address"
    r"|e-?mail(?: address)?|phone(?: number)?|link|url|role|position|department|product|topic"
    r"|recipient|sender|author|signature|reference|job title|state|region|industry|subject|age"
    r"|year"
)
_PLACEHOLDER = re.compile(
    rf"\[(?:the |a |an |their |his |her )?(?:{_BLANK_NOUN})(?: here)?\](?![(\[:])"
    r"|\[(?:your|insert|enter|add|fill in|specify|describe|replace|placeholder|todo|tbd|tbc"
    r"|xx+)\b[^\]\n]{0,60}\](?!\()"
    r"|\[(?:[A-Z][A-Z0-9]*[_ ])+[A-Z0-9]+\](?!\()|\{\{[^{}\n]{1,60}\}\}"
    r"|(?<![\w\\$^_{}])\{[a-z][a-z0-9_]*\}(?!\})|\$\{[\w.]+\}"
    rf"|<(?:insert|enter|your|placeholder|todo|tbd)\b[^<>\n]{{0,60}}>|<(?:{_BLANK_NOUN})>"
    r"|<[A-Z]+(?:[_ ][A-Z]+)+>|\blorem ipsum\b|_{4,}(?=\s|[.,;:)]|$)",
    re.IGNORECASE | re.MULTILINE,
)
# In capitals alone: "todo" is a word of Spanish, and "xxx" ends letters.
_TODO_MARK = re.compile(
    r"\bT(?:BD|BC|BA|ODO|K{2,})\b(?=[:;.,)\]\s]|$)(?! [a-z]+o\b)|\bX{3,}\b|\bFIXME\b"
)
_ALLOWED_BRACKETS = re.compile(
    r"\[(?:SIC|END|LAUGHS|LAUGHTER|APPLAUSE|INAUDIBLE|CROSSTALK|REDACTED|PAUSE|MUSIC|SILENCE"
    r"|[A-Z]+ (?:LAUGHS|PAUSES|LEAVES|ENTERS|OFF|ON|OUT|CUT|ENDS|BEGINS|OMITTED|SPEAKS"
    r"|CONTINUES))\]"
)


def check_no_placeholders(text: str, *, allowed: str = "") -> Check:
    """No `[Name]`, `{{x}}`, `<insert …>`, lorem ipsum, TBD, XXX or row of underscores.

    Fenced code holds none: there, braces and brackets are the language's.

    What it cannot see: a blank in words ("such and such a company"), a bracket around a noun it
    does not know, one that is a link's text.

    Args:
        text: What the writer returned.
        allowed: What it may repeat.
    """
    prose = _ALLOWED_BRACKETS.sub("", INLINE_CODE.sub("", view_text(text).prose))
    if found := find_disallowed(prose, _PLACEHOLDER, _TODO_MARK, allowed=allowed):
        return fail_check(
            "no_placeholders",
            f"holds a blank to be filled in: {found.strip()!r}; fill it in or do without",
        )
    return pass_check("no_placeholders")
