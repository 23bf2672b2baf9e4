"""A text may give reasons; it must not lecture."""

import re

from ._check import Check, brought_in, composed, failed, passed

_WEIGHTY = r"(?:important|crucial|essential|vital|imperative|critical|paramount|worth)"
_PREACHY = re.compile(
    r"\b(?:it(?:['’]s| is| remains)|it(?:['’]s| is) also|is)(?: always| also| deeply| so"
    rf"| truly)? {_WEIGHTY} (?:(?:for (?:us|all of us|everyone|each of us)|that (?:we|you"
    r"|everyone))(?: all| always)? ?\w+|(?:to|that (?:we|you|one))(?: always| also"
    r"| all)? (?:remember|note|recogni[sz]e|consider|understand|acknowledge|keep in mind"
    r"|bear in mind|be mindful|reflect|respect|approach|prioriti[sz]e|emphasi[sz]e|stress))\b"
    r"|\b(?:important|crucial|essential|vital) to (?:remember|note|keep in mind|acknowledge) that\b"
    r"|\bas (?:responsible|ethical|decent|conscientious|moral)(?: \w+)? (?:individuals|citizens"
    r"|people|members|users|human beings|humans|adults|professionals|consumers)\b"
    r"|\bas members of (?:a |an |the |our )?(?:society|community)\b"
    r"|\bwe (?:must|should|need to|ought to|have to)(?: all| always| never| also) (?:remember"
    r"|strive|forget|ask ourselves|respect|consider|treat|be mindful|hold|do better|act)\b"
    r"|\bwe (?:must|should|need to|have to) (?:strive|never forget|ask ourselves|do better)\b"
    r"|\blet us (?:all )?(?:remember|strive|never forget|not forget|reflect|choose)\b"
    r"|\b(?:always|please) remember,? (?:that|to)\b|\bplease (?:act|use \w+|behave) (?:responsibly"
    r"|ethically)"
    r"|\bthe moral of (?:the|this|our) (?:story|tale)\b"
    r"|\bthe (?:real )?lesson (?:here|of (?:this|the) (?:story|tale))?(?: here)? ?(?:is"
    r"|was) (?:clear|simple|that)\b"
    r"|\b(?:serves?|stands?|served|stood) as a(?: \w+)? reminder\b"
    r"|\b(?:is|was) a (?:powerful|stark|gentle|timely|sobering|poignant) reminder\b"
    r"|\b(?:teaches|taught|reminds|reminded) (?:us|us all|everyone) (?:that|to|of the importance)\b"
    r"|\bwith great power comes\b"
    r"|\bwe all (?:have|share|bear) a (?:responsibility|duty|role|part)\b"
    r"|\bI(?: would| ['’]d)? (?:strongly |gently )?(?:urge|implore|encourage) you to (?:reflect"
    r"|consider|think|reconsider|remember|be (?:mindful|honest|kind))\b"
    r"|\bI can(?:not|['’]t) in good conscience\b"
    r"|\bethics (?:is|are) not (?:just|only|merely)\b|\bhonesty is (?:always )?the best policy\b"
    r"|\bintegrity (?:is|means) doing the right thing\b|\bdo(?:ing)? the right thing,? even when\b"
    r"|\ba (?:better|kinder|more just|brighter) (?:world|future|society) for (?:all|everyone"
    r"|us all)\b",
    re.IGNORECASE,
)
_MORAL = re.compile(
    r"(?:\A|\n)[ \t]*(?:In the end|Ultimately|At the end of the day|In conclusion|And so"
    r"|After all),? (?:it (?:is|was)|it['’]s|what (?:matters|mattered)|the (?:true|real"
    r"|most important)|true \w+|we (?:all|must|are)|being|choosing|doing|honesty|integrity"
    r"|kindness|trust|(?:she|he|they|it) (?:had )?(?:learned|learnt|realized|realised|understood"
    r"|knew) that)\b[^\n]*\s*\Z",
    re.IGNORECASE,
)


def check_not_preachy(text: str, *, allowed: str = "") -> Check:
    """No formula of a lecture, and no moral at the end.

    What it cannot see: preaching without its formulas, above all an answer that moralises in
    fresh words: that is the judge's.

    Args:
        text: What the writer returned.
        allowed: What it may repeat.
    """
    text = composed(text)
    if found := brought_in(_PREACHY, text, allowed):
        return failed("preachy", f"lectures: {found.strip()!r}; say the reason itself, or nothing")
    if found := brought_in(_MORAL, text.rstrip(), allowed):
        return failed(
            "preachy", f"ends on a moral: {found.strip()[:80]!r}; end where the matter ends"
        )
    return passed("preachy")
