"""Which language a message is in: nl, en, fr or de, or None when it is in none of them."""

from __future__ import annotations

import re

from py3langid.langid import MODEL_FILE, LanguageIdentifier

from understanding.text import plain

KNOWN = ("nl", "en", "fr", "de")

_OTHERS = ("es", "it", "pt", "pl", "tr", "ro", "hu", "cs", "hr", "sv", "id", "sq")
_READ = 400  # characters are plenty
_LATIN = re.compile("[a-zà-öø-ÿœ]", re.IGNORECASE)
_LETTER = re.compile(r"[^\W\d_]")
_NUMBERED = re.compile(r"\S*\d\S*")  # numbers of invoices, amounts, postcodes
_FEW = 2  # letters that tell nothing: "k", "x"
# Worth of a common word, and of the conversation's language, in the identifier's log-probabilities
_COMMON = 4.0
_HINT = 6.0
_SURE = 2.0
_FOREIGN = 7.0
_LETTERS_FROM_ELSEWHERE = 8.0

_WORDS = {
    "nl": "ik je jij u het een de en niet geen is zijn heb hebt heeft ben bent mijn jullie wij ze maar ook nog al "
    "wel van voor met op aan bij naar hoe waar waarom wat wie wanneer kan kunnen wil moet graag hoi hallo "
    "goedemorgen goeiedag bedankt dank dankjewel ja nee neen betalen betaald factuur rekening alvast dit dat "
    "deze die nu",
    "en": "i you the a an and not no is are am have has my your we they but also yet of for with on at to how where "
    "why what who when can could will would want must please hi hello hey morning thanks thank yes yeah nope "
    "pay paid invoice bill this that these it do does dont cant english good half",
    "fr": "je tu vous le la les un une et pas ne est sont suis ai as avez mon ma mes votre vos nous ils elle mais "
    "aussi de du des pour avec sur chez comment ou pourquoi quoi qui quand peux peut pouvez veux faut bonjour "
    "salut bonsoir merci oui non payer paye facture svp cest jai ca ce cette francais bjr slt mci stp que",
    "de": "ich du sie der die das ein eine und nicht kein keine ist sind bin habe hab hat mein meine ihr euch wir "
    "aber auch noch schon von fur mit auf an bei zu nach wie wo warum was wer wann kann konnen will muss "
    "bitte hallo moin guten danke dank vielen ja nein zahlen bezahlt rechnung dies diese deutsch euer eure",
    "es": "el los las yo ya para pero esta este esto quiero puedo pagar hola gracias una cuando donde he os que",
    "it": "io ho gia non il che per sono mio posso pagare fattura grazie ciao di ancora una vorrei dove",
    "pt": "eu nao um uma para com minha meu quero posso pagar obrigado fatura ja ola",
    "pl": "nie jest mam czy juz prosze dzien dobry chce moge faktura faktury zaplacic jak gdzie",
    "tr": "ben bu ne bir ve icin var yok nerede kadar fatura degil nasil merhaba borcum odeme istiyorum mi olur",
    "ro": "nu eu unde cat vreau sunt multumesc buna ziua platesc platit imi se mea meu",
}
# Letters that none of the four languages is written with
_ELSEWHERE = re.compile("[ğışłąęćńśźżășşțţñ¿¡õãőűčřšžđ]")


class Languages:
    """The identifier held to the four languages, and to others that it should rather call unknown."""

    def __init__(self) -> None:
        self._identifier = LanguageIdentifier.from_pickled_model(MODEL_FILE)
        self._identifier.set_languages([*KNOWN, *_OTHERS])
        self._common = {language: frozenset(words.split()) for language, words in _WORDS.items()}

    def of(self, text: str, hint: str | None = None) -> str | None:
        """The language of a message; hint: the conversation's language, which decides when the message hardly tells.

        Without letters, or with words that are common in several languages, the answer is the hint. None: clearly
        some other language, or nothing to go by and no hint.
        """
        text = _NUMBERED.sub(" ", text[:_READ])
        letters = _LETTER.findall(text)
        if len(letters) < _FEW:
            return hint
        if len(_LATIN.findall(text)) < len(letters) / 2:
            return None
        words = plain(text).split()
        scores = dict(self._identifier.rank(" ".join(text.lower().split())))
        for language, common in self._common.items():
            scores[language] += _COMMON * sum(word in common for word in words)
        foreign = max(scores[language] for language in _OTHERS)
        if _ELSEWHERE.search(text.lower()):
            foreign += _LETTERS_FROM_ELSEWHERE
        if hint in scores:
            scores[hint] += _HINT
        best, second = sorted(KNOWN, key=lambda language: -scores[language])[:2]
        if foreign > scores[best] + _FOREIGN and len(words) > 2:
            return None
        if scores[best] - scores[second] < _SURE:
            return hint
        return best
