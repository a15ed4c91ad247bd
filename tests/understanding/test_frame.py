"""What stands around a message is not read; what it says is, and nothing is left without words."""

import time

import pytest

from understanding.frame import unframed


@pytest.mark.parametrize(
    ("text", "inner"),
    [
        ("hallo, ik wil graag betalen", "ik wil graag betalen"),
        ("Hoi ik kan niet betalen", "ik kan niet betalen"),
        ("Geachte heer/mevrouw, mijn man is overleden. Met vriendelijke groet, Els", "mijn man is overleden."),
        ("Goedemorgen, waar blijft mijn pakket? mvg Jan de Vries", "waar blijft mijn pakket?"),
        ("Beste, ik heb al betaald. Alvast bedankt, groetjes Anne", "ik heb al betaald."),
        ("vraagje: kan ik gespreid betalen? bvd", "kan ik gespreid betalen?"),
        ("hallo, met Jan Peeters hier, ik wil betalen", "ik wil betalen"),
        ("waar blijft mijn pakket? klantnummer B-1001", "waar blijft mijn pakket?"),
        ("wat moet ik betalen?? bedankt!! xx", "wat moet ik betalen??"),
        ("ik betaal vrijdag 🙏😅", "ik betaal vrijdag"),
        ("Hi this is John Smith, I paid already, thanks", "I paid already"),
        ("quick question, can I pay later?", "can I pay later?"),
        ("Good morning sir, my parcel is lost. Kind regards, Tom", "my parcel is lost."),
        ("bonjour madame, je ne peux pas payer, merci d'avance cordialement Luc Dubois", "je ne peux pas payer"),
        ("j'ai une question : où est mon colis ? Merci", "où est mon colis ?"),
        ("salut c koi cette facture", "c koi cette facture"),
        ("Sehr geehrte Damen und Herren, ich habe nichts bestellt. MfG Weber", "ich habe nichts bestellt."),
        ("Guten Tag, ich möchte zahlen. Vielen Dank im Voraus LG Sabine", "ich möchte zahlen."),
        ("Ich bin Hans Meier, wo ist mein Paket?", "wo ist mein Paket?"),
    ],
)
def test_the_message_inside(text: str, inner: str) -> None:
    assert unframed(text) == inner


@pytest.mark.parametrize(
    "text",
    [
        # nothing else is there
        *("hallo", "hoi allemaal", "Bonjour madame", "merci", "hey thanks", "mijn klantnummer is B-1001", "🙏"),
        *("ik heb een vraag", "met vriendelijke groet", "hello assistant", "hoi assistent", "bonjour l'assistant"),
        # who writes is what it is about
        *(
            "met Bewindvoerderskantoor Smit, graag alle post naar ons",
            "Hier Rechtsanwalt Meier, ich brauche die Rechnung",
        ),
        *(
            "Stuur de rekening voortaan naar mij. Groet, Bewindvoerder P. de Boer",
            "Graag een overzicht van mijn cliënt.\n\nMet vriendelijke groet,\nJansen Bewindvoering",
            "Graag een kopie van de factuur. Mvg Kredietbank Schuldhulpverlening",
            "Please send all invoices to me. Kind regards, Jones Debt Administrators",
            "Bitte senden Sie mir die Rechnungen. Mit freundlichen Grüßen, Rechtliche Betreuung Müller",
            "Merci de m'envoyer le solde. Cordialement, Maître Dupont Administrateur",
            "Bedankt voor alles. Groetjes en vaarwel",
        ),
        *("Je spreekt met Politie Utrecht, graag contact", "This is Smith Estate Office here, send us the invoice"),
        # the same words, meant
        *("dag van levering is verstreken", "tag der lieferung?", "best wel duur", "cher client n'est pas cher"),
        *("dank je voor niets, klote bedrijf", "thank you for nothing", "vielen Dank für nichts ihr Verbrecher"),
        *("ich bin Rentner, ich kann nicht zahlen", "Ich bin Witwe, mein Mann ist tot", "met mij gaat het niet goed"),
        *("ik heb een vraag over mijn factuur", "question de vie ou de mort", "it's a Scam, right"),
        *("factuurnummer 2026-0042 klopt niet", "ik ben Jan Peeters niet", "mijn LG tv doet het niet"),
        *("ik wil niet meer leven. vaarwel", "adieu", "bedankt voor alles, het ga jullie goed"),
    ],
)
def test_nothing_is_taken_away(text: str) -> None:
    assert unframed(text) == text


@pytest.mark.parametrize(
    "text",
    ["groet " * 5000, "- " * 5000, "a" * 100_000, "met A" + " van" * 5000, "ik ben " + "Aa-" * 4000, " " * 99_999],
)
def test_nothing_takes_long(text: str) -> None:
    began = time.process_time()
    unframed(text)
    assert time.process_time() - began < 1
