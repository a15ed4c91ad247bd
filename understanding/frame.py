"""What stands around a message: greeting, name, "I have a question" before it, a number, thanks and regards behind it.

People write to a company as they write letters, and none of it says what they want. Read with it, one message of `dev`
in ten was taken for something else, "hallo, ik wil graag betalen" for a hello (docs/understanding.md).
"""

from __future__ import annotations

import re

_GREETINGS = (
    r"goe(?:de|ie)(?:n|r)?[ -]?(?:morgend?|middag|avond|dag)|dag|hall?o+|ho+i+|h[eé]+y*|hi+|yo|beste|geachte|lieve",
    r"hiya|hello+|(?:good )?morning|good (?:afternoon|evening|day)|greetings|dear",
    r"(?:re-?)?bonjour|bjr|bonsoir|bsr|salut|slt|coucou|cc|ch[eè]re?s?|madame|monsieur",
    r"guten? (?:morgen|tag|abend)|tag|moin(?: moin)?|servus|gr(?:ü|ue)(?:ß|ss) gott|gr(?:ü|ue)e?zi|sehr geehrte[rn]?",
    r"liebe[rs]?|hola|ciao|buongiorno|buenos d[ií]as|merhaba|selam|dzie[nń] dobry|cze[sś][cć]|salam|bun[aă] ziua",
)
# These mean something else as well: a greeting only with somebody, or a comma, behind them.
_ALONE = re.compile(
    r"\W*(?:dag|beste|geachte|lieve|yo|(?:good )?morning|dear|ch[eè]re?s?|cc|madame|monsieur|tag|liebe[rs]?)\s+", re.I
)
_WHOM = (
    r"daar|allemaal|iedereen|mensen|meneer|mevrouw|heer|heren|dames|mijnheer|team|klantenservice|klantendienst|weer|"
    r"there|all|everyone|everybody|folks|guys|sir|madam|again|customer service|"
    r"madame|monsieur|mesdames|messieurs|m'sieur|à tous|tout le monde|l'équipe|encore|service client(?:èle)?|"
    r"assistent|assistant|l'assistant|bot|robot|roboter|"
    r"zusammen|alle|leute|damen|herren|herr|frau|kundendienst|kundenservice|und|en|et|ou|of|or|and"
)
_THANKS = (
    r"(?:al ?vast |heel erg |hartelijk |super ?|bij voorbaat |nogmaals )*"
    r"(?:bedankt|dank (?:je|u|jullie)(?: wel)?|dank[jut]e?wel|dank)(?: ?al ?vast| bij voorbaat)?|bvd|b\.v\.d\.?",
    r"(?:many |ok |okay )?(?:thanks|thn?x|tnx|thank y?o?u|ty)(?: a lot| so much| very much| in advance| again)*",
    r"(?:un grand |grand |mille )?mercis?(?: beaucoup| bien| d[' ]?avance| par avance| à vous| bcp)*",
    r"je vous remercie(?: d'avance)?",
    r"(?:vielen |besten |herzlichen |lieben |schönen |schon ?mal |vorab )*"
    r"danke?(?: ?schön| sehr| euch| ihnen)?(?: im voraus| vorab| schon ?mal)?",
    r"gracias|grazie|te[sş]ekk[uü]rler|dzi[eę]kuj[eę]|mul[tț]umesc",
    r"(?:een )?(?:fijne|prettige|goeie|goede|leuke) (?:dag|avond|weekend)(?: nog)?|fijn weekend",
    r"have a (?:nice|good|great) (?:day|one|weekend|evening)|bonne (?:journée|soirée|fin de journée)|bon week-?end",
    r"(?:einen? )?schöne[ns] (?:tag|abend|wochenende)(?: noch)?|(?:ik )?hoor (?:het )?graag(?: van (?:u|jullie|je))?",
)
_REGARDS = (
    r"(?:met |veel |hartelijke? |vriendelijke? |lieve |de |beste )*(?:groet(?:en|jes)?|grtz|grtjs|grt)",
    r"mvg|m\.v\.g\.?|vr\.? ?gr\.?|hoogachtend",
    r"(?:with )?(?:kind|best|warm|warmest|kindest)? ?regards|cheers|sincerely|yours (?:sincerely|faithfully|truly)",
    r"(?:bien |très )?cordialement|cdl?t|bien à (?:vous|toi)|b[aà]v",
    r"(?:mes |sincères |meilleures |cordiales )*salutations(?: distinguées)?",
    r"(?:mit |viele |liebe |beste |freundliche[mnr]? |schöne |herzliche[nr]? )*gr(?:ü|ue?)(?:ß|ss)(?:en?)?",
    r"mfg|glg|hochachtungsvoll",
)
_SHORT_REGARDS = (r"gr|br|lg|vg|bg",)  # "mijn LG tv": nobody's, unless a name follows
# A name is told by its capitals. One word after "I am" may be anything ("Ich bin Rentner"), two are somebody.
_PART = r"(?-i:[A-Z][^\W\d_]*\.?(?:[-'’][A-Z]?[^\W\d_]+)?)"
_MORE = rf"(?:\s+(?:(?:de|der|den|van|von|du|la|le|el|ten|ter|’t|'t)\s+)*{_PART})"
_INTRODUCTIONS = (
    rf"met\s+{_PART}{_MORE}{{0,2}}(?:\s+hier)?",
    rf"(?:this is|it'?s|dit is)\s+{_PART}{_MORE}{{0,2}}\s+(?:here|speaking|hier)",
    r"(?:mijn naam is|(?:je|u) spreekt met|my name'?s?(?: is)?|je m'appelle|mon nom est|mein name ist|ich hei(?:ß|ss)e)"
    rf"\s+{_PART}{_MORE}{{0,2}}",
    rf"(?:ik ben|i am|i'm|this is|je suis|c'est|ici|ich bin|hier(?: ist| spricht)?)\s+{_PART}{_MORE}{{1,2}}",
)
# Who writes for somebody is what the message is about: an administrator, a notary, the police.
_OFFICE = re.compile(
    r"bewind|curat|notar|advoca|avocat|anwalt|polit|polic|polizei|recht|gericht|court|tribunal|mediat|administrat|schuld|"
    r"debt|dettes|gemeente|kantoor|kanzlei|office|bureau|betreu|insolv|tute|mentor|ocmw|cpas|huissier|deurwaarder|estate|"
    r"nabestaand|weduw|witwe|veuve|widow|erven|h[eé]riti|ziekenhuis|h[oô]pital|krankenhaus|hospital|zorg|uitvaart|"
    r"kredietbank|budget|executeur|executor|trustee|ma[iî]tre|mr\.|vaarwel|adieu|farewell|lebewohl",
    re.IGNORECASE,
)
_QUESTIONS = (
    r"(?:ik heb |ik had |even |nog )*(?:een )?(?:korte? |snelle? |kleine? )?vraag(?:je)?(?: voor (?:u|jullie|je))?",
    r"(?:i have |i've got |i got |just )?(?:a |one )?(?:quick |small |short )?question(?: for you)?",
    r"(?:j'ai |juste )?(?:une )?(?:petite )?question(?: pour vous)?",
    r"(?:ich hab(?:e)? |hab |hätte |mal |da )*(?:eine )?(?:kurze |kleine )?frage(?: an (?:sie|euch))?",
)
_NUMBERS = (
    r"(?:(?:mijn|my|mon|ma|meine?|het|the|le)\s+)?"
    r"(?:klant|factuur|bestel|order|debiteuren|kunden|rechnungs|bestell|auftrags)-?\s?(?:nummer|nr\.?)|"
    r"(?:(?:my|the)\s+)?(?:customer|client|invoice|order|account)\s+(?:number|no\.?|nr\.?)|"
    r"(?:(?:mon|le)\s+)?(?:num[eé]ro|n°|nr)\s+(?:de\s+)?(?:client|facture|commande)",
)


def _any(parts: tuple[str, ...]) -> str:
    return f"(?:{'|'.join(parts)})"


_OPENING = re.compile(
    rf"\W*{_any(_GREETINGS)}(?:(?:\s*[,/]?\s+|/)(?:{_WHOM})\b)*(?:\s*[,.!:;–—-]+\s*|\s+|$)", re.IGNORECASE
)
_PREFACE = re.compile(rf"\W*(?:{_any(_INTRODUCTIONS)}|{_any(_QUESTIONS)})(?:\s*[,.!?:;–—-]+\s*|\s*$)", re.IGNORECASE)
_NUMBER = rf"{_any(_NUMBERS)}\s*(?:is|:|=|est|ist|lautet)?\s*:?\s*(?=[\w./-]*\d)[\w./-]{{2,25}}"
_SOMEBODY = rf"(?:[\s,]+(?:(?-i:[A-Z][^\W\d_]+)|{_WHOM})\b)?"
_NAME = rf"(?:[\s,]+{_PART}{_MORE}{{0,3}}|[\s,]+(?:[^\W\d_]|[.'’-])+(?:\s+(?:[^\W\d_]|[.'’-])+)?)?"
_CLOSING = re.compile(
    rf"(?P<before>^|[\s,.!?;:()–—-]+)(?:{_any(_THANKS)}{_SOMEBODY}|{_any(_REGARDS)}{_NAME}"
    rf"|{_any(_SHORT_REGARDS)}(?:[\s,]+{_PART}{_MORE}{{0,3}})?|{_NUMBER})[\W_]*x{{0,3}}[\W_]*\Z",
    re.IGNORECASE,
)
_PICTURES = re.compile("[\\s\U0001f300-\U0001faff\u2600-\u27bf\ufe0f\u200d\u2764]+\\Z")
_TAIL = 120  # characters at the end in which regards are looked for
_GREETED, _CLOSED = 3, 3  # "hello, this is Tom, quick question"; "thanks in advance, kind regards, Tom"


def unframed(text: str) -> str:
    """The message inside: the text itself where nothing would be left."""
    inner = text.strip()
    for _ in range(_GREETED):
        opening = _OPENING.match(inner)
        if opening is None or _ALONE.fullmatch(opening[0]):
            opening = _PREFACE.match(inner)
        if opening is None or _OFFICE.search(opening[0]):
            break
        inner = inner[opening.end() :]
    for _ in range(_CLOSED):
        closing = _CLOSING.search(inner, max(0, len(inner) - _TAIL))
        if closing is None or _OFFICE.search(closing[0]):
            break
        inner = inner[: closing.start()] + closing["before"].rstrip(" ,;:(–—-\n\t")
    inner = inner[:-_TAIL] + _PICTURES.sub("", inner[-_TAIL:])
    return inner.strip() if any(c.isalnum() for c in inner) else text
