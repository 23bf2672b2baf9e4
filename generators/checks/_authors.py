"""No author, and nobody real who is said to have said it."""

import re

from ._check import Check, brought_in, failed, passed, prose_of

_CAP = r"[A-ZÀ-ÖØ-ÞŁŚŠŽİ](?:[\w'’-]{0,38}\w|\.)?"
_PARTICLE = r"(?:van|von|de|del|della|der|den|da|di|dos|la|le|bin|ibn|al|el|ter|ten|af|zu|y)"
_NAME = rf"{_CAP}(?: (?:{_PARTICLE} ){{0,2}}{_CAP}){{1,3}}"
_HONORIFIC = r"(?:Dr|Prof|Professor|Mr|Mrs|Ms|Sir|Dame|Rev|Judge|Justice|Senator|President)\.?"
_BYLINE = re.compile(
    r"^[ \t>]*[*_]*(?:[Bb]y|BY|[Ww]ritten by|[Ww]ords by|[Ss]tory by|[Pp]osted by|[Rr]eported by"
    r"|[Ee]dited by|[Tt]ranslated by"
    rf"|[Rr]eviewed by):?[*_]* +[*_]*(?:{_HONORIFIC} )?{_NAME}[*_]*(?=\s*(?:$|[,|·•(–—-]))"
    r"|^[ \t>]*[*_]*(?:[Aa]uthors?|[Ww]riter|[Ee]ditor|[Cc]orresponding author|[Cc]olumnist"
    r"|[Cc]orrespondent|[Aa]ffiliations?)[*_]*:[*_]* *(?!unknown|anonymous|none|n/a)\S[^\n]*$"
    rf"|^[ \t>]*(?:—|–|--?) ?[*_]*(?:{_HONORIFIC} )?{_NAME}[*_]*(?:, [^\n]{{2,80}})?[*_]*[ \t]*$"
    rf"|^[ \t>]*(?:—|–|--?) ?[*_]*{_HONORIFIC} {_CAP}(?:, [^\n]{{2,80}})?[*_]*[ \t]*$"
    r"|^[ \t]*(?:[Bb]est|(?:[Ww]arm|[Kk]ind|[Bb]est) (?:regards|wishes)|[Rr]egards"
    r"|[Ss]incerely(?: yours)?"
    rf"|[Yy]ours(?: \w+)?|[Cc]heers|[Rr]espectfully),?[ \t]*\n+[ \t]*[*_]*{_CAP}(?: {_CAP}){{0,3}}",
    re.MULTILINE,
)
_MONTHS = (
    r"(?!January|February|March|April|May|June|July|August|September|October|November|December)"
)
_CITATION = re.compile(
    rf"\((?:see |cf\. )?{_MONTHS}{_CAP}(?:,? (?:and|&) {_CAP}| et al\.?)?,? (?:19"
    r"|20)\d\d[a-z]?(?:[;,)]|: ?\d)"
    rf"|\b{_CAP} et al\b|\b{_CAP} (?:and|&) {_CAP} \((?:19|20)\d\d\)|\b{_CAP} \((?:19"
    r"|20)\d\d[a-z]?\)"
)
_KNOWN = (
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
_SAID = (
    r"(?:says?|said|told|writes?|wrote|reports?|reported|argues?|argued|warns?|warned|explains?"
    r"|explained|notes?|noted|found|finds|published|announced|claims?|claimed|estimates?)"
)
_SOURCE = re.compile(
    r"\b(?i:according to|as reported (?:by|in)|as quoted (?:by|in)|reported by|in the words of"
    r"|in an interview with|as told to) (?:(?:a|an|the|some|one|many|most|several|recent|new"
    rf"|leading) ){{0,4}}(?:(?:{_HONORIFIC} )?(?P<name>{_NAME})|(?P<known>{_KNOWN})"
    r"|(?:\w+ )?(?P<experts>researchers|scientists|experts|economists|psychologists|historians"
    r"|philosophers|officials|sources|analysts|study|studies|survey|report|reports|poll|analysis"
    r"|research))\b"
    rf"|\b(?P<known2>{_KNOWN})(?:['’]s?)?(?: \w+)? (?:study|survey|report|paper|poll|researchers?"
    r"|scientists?|professor|team|spokes\w+|blog|article)\b"
    rf"|\b(?P<known3>{_KNOWN}) {_SAID}\b"
    r"|\b(?:professor|researcher|scientist|economist|philosopher|fellow|lecturer|director|PhD"
    rf"|student|team|study|study out)s? (?:at|from|of) (?:the )?(?P<place>{_KNOWN}"
    rf"|{_CAP}(?: {_CAP}){{0,3}} (?:University|Institute|College|School|Center|Centre|Lab"
    rf"|Laboratory|Foundation)|University of {_CAP})"
    rf"|\b(?P<titled>(?:Professor|Prof\.|Dr\.?) {_CAP}(?: {_CAP}){{0,3}}),? (?:of|at|from|an?"
    r"|the)\b"
    rf"|\b(?P<school>(?:University|Institute|College) of {_CAP}|(?:{_CAP} ){{1,4}}(?:University"
    r"|Institute))\b"
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
    prose = prose_of(text)
    if found := brought_in(_BYLINE, prose, allowed):
        return failed("no_authors", f"is signed: {found.strip()[:80]!r}; leave the author out")
    for pattern in (_CITATION, _SOURCE):
        if found := brought_in(pattern, prose, allowed):
            return failed(
                "no_authors",
                f"claims a source: {found.strip()[:80]!r}; give the reason itself, without an "
                "authority",
            )
    return passed("no_authors")
