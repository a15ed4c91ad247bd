import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import BadInput
from payments.references import (
    Kind,
    Reference,
    betalingskenmerk,
    creditor_reference,
    grouped,
    is_betalingskenmerk,
    is_creditor_reference,
    is_structured_communication,
    reference_of,
    references_in,
    stored,
    structured_communication,
)

# Published examples of ISO 11649 references.
KNOWN = [
    "RF18539007547034",
    "RF712348231",
    "RF45G72UUR",
    "RF6518K5",
]


@pytest.mark.parametrize("reference", KNOWN)
def test_known_examples(reference: str) -> None:
    assert is_creditor_reference(reference)
    assert creditor_reference(reference[4:]) == reference


@pytest.mark.parametrize(
    ("digits", "reference"),
    [
        # 909337554 = 97 · 9374614 - 4, so a remainder of 93
        pytest.param("0909337554", "+++090/9337/55493+++", id="as on Belgian invoices"),
        # 108068171 = 97 · 1114104 + 83
        pytest.param("0108068171", "+++010/8068/17183+++", id="with its leading zero"),
        pytest.param("97", "+++000/0000/09797+++", id="no remainder: 97"),
        pytest.param("98", "+++000/0000/09801+++", id="one digit of remainder"),
        pytest.param("9999999999", "+++999/9999/99948+++", id="the last"),
    ],
)
def test_structured_communications_by_hand(digits: str, reference: str) -> None:
    assert structured_communication(digits) == reference
    assert is_structured_communication(reference)
    assert is_structured_communication(reference.replace("+", "*"))
    assert is_structured_communication(reference.replace("+", "").replace("/", ""))


@pytest.mark.parametrize(
    ("digits", "reference"),
    [
        # Betaalvereniging Nederland: 5·2+4·4+3·8+2·5+1·10+0·9+9·7+8·3+7·6+6·1+5·2 = 215, 215 mod 11 = 6, 11 - 6 = 5
        pytest.param("56789012345", "5000056789012345", id="the published one"),
        # 1·2 = 2, 11 - 2 = 9
        pytest.param("1", "9000000000000001", id="one"),
        # 6·2 = 12, 12 mod 11 = 1, 11 - 1 = 10: 1 is taken
        pytest.param("6", "1000000000000006", id="ten becomes 1"),
        # 7·2+2·4 = 22, no remainder, 11: 0 is taken
        pytest.param("27", "0000000000000027", id="eleven becomes 0"),
    ],
)
def test_betalingskenmerken_by_hand(digits: str, reference: str) -> None:
    assert betalingskenmerk(digits) == reference
    assert is_betalingskenmerk(reference)


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ("12 2345 3462 2567", True),  # Betaalvereniging Nederland: 14 digits, length code 2
        ("11 2345 3462 2567", False),
        ("12 2345 3462 256", False),  # 13 digits say 1
        ("5010.0021.6701.0010", True),
        ("5000 0567 8901 2346", False),
        ("0000000000000000", False),
        ("1234567", False),  # 7 digits check nothing
        ("500005678901234", False),  # there are none of 15
    ],
)
def test_betalingskenmerken_as_they_are_written(text: str, right: bool) -> None:
    assert is_betalingskenmerk(text) is right


@pytest.mark.parametrize("text", ["RF18539007547035", "RF00539007547034", "RF18", "+++090/9337/55493+++", "", "RF18 é"])
def test_what_is_no_creditor_reference(text: str) -> None:
    assert not is_creditor_reference(text)


@pytest.mark.parametrize(
    "text",
    ["+++090/9337/55494+++", "+++090/9337/55493***", "+++090/9337/55493", "090933755493 1", "000000000097", "", "RF18"],
)
def test_what_is_no_structured_communication(text: str) -> None:
    assert not is_structured_communication(text)


_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"


@given(st.text(_ALPHABET, min_size=1, max_size=21), st.data())
def test_one_wrong_character_is_seen(number: str, data: st.DataObject) -> None:
    reference = creditor_reference(number)
    assert is_creditor_reference(reference)
    place = data.draw(st.integers(4, len(reference) - 1))
    wrong = data.draw(st.sampled_from("0123456789").filter(lambda digit: digit != reference[place]))
    if reference[place].isdigit():
        assert not is_creditor_reference(reference[:place] + wrong + reference[place + 1 :])


@given(st.integers(1, 10**10 - 1), st.data())
def test_one_wrong_digit_of_a_structured_communication_is_seen(number: int, data: st.DataObject) -> None:
    digits = structured_communication(str(number)).replace("+", "").replace("/", "")
    assert int(digits[:10]) % 97 in (int(digits[10:]), int(digits[10:]) - 97)
    place = data.draw(st.integers(0, 11))
    wrong = data.draw(st.sampled_from("0123456789").filter(lambda digit: digit != digits[place]))
    assert not is_structured_communication(digits[:place] + wrong + digits[place + 1 :])


@given(st.integers(1, 10**15 - 1))
def test_a_betalingskenmerk_keeps_its_number(number: int) -> None:
    reference = betalingskenmerk(str(number))
    assert is_betalingskenmerk(reference)
    assert int(reference[1:]) == number
    others = [digit for digit in "0123456789" if digit != reference[0]]
    assert not any(is_betalingskenmerk(digit + reference[1:]) for digit in others)


@pytest.mark.parametrize("number", ["", "--", "A" * 22])
def test_numbers_that_do_not_fit(number: str) -> None:
    with pytest.raises(BadInput):
        creditor_reference(number)


@pytest.mark.parametrize("digits", ["", "0", "A1", "12345678901", "²"])
def test_digits_that_do_not_fit(digits: str) -> None:
    with pytest.raises(BadInput):
        structured_communication(digits)
    if len(digits) != 11:
        with pytest.raises(BadInput):
            betalingskenmerk(digits)


def test_signs_and_small_letters_do_not_matter() -> None:
    assert creditor_reference("f-2026/0042") == creditor_reference("F20260042")


@pytest.mark.parametrize(
    ("kind", "number", "reference"),
    [
        pytest.param(Kind.ISO11649, "539007547034", "RF18539007547034", id="letters and digits"),
        pytest.param(
            Kind.OGM, "2026-0042", "+++002/0260/04240+++", id="digits are kept"
        ),  # 20260042 = 97 · 208866 + 40
        pytest.param(Kind.BETALINGSKENMERK, "567 8901 2345", "5000056789012345", id="fifteen digits are kept"),
    ],
)
def test_a_reference_for_a_number(kind: Kind, number: str, reference: str) -> None:
    assert reference_of(kind, number) == reference


@given(st.sampled_from([Kind.OGM, Kind.BETALINGSKENMERK]), st.text(min_size=1, max_size=64))
def test_any_number_has_one_that_is_always_the_same(kind: Kind, number: str) -> None:
    reference = reference_of(kind, number)
    assert reference == reference_of(kind, number) == stored(reference, kind)
    assert references_in(reference)[0].text == reference or Reference(kind, reference) in references_in(reference)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("RF18539007547034", "RF18 5390 0754 7034"),
        ("5000056789012345", "5000 0567 8901 2345"),
        ("+++090/9337/55493+++", "+++090/9337/55493+++"),
        ("F2026-0042", "F2026-0042"),
    ],
)
def test_as_printed(text: str, shown: str) -> None:
    assert grouped(text) == shown


@pytest.mark.parametrize(
    ("text", "kind", "kept"),
    [
        ("rf18 5390 0754 7034", Kind.OGM, "RF18539007547034"),
        ("090/9337/55493", Kind.ISO11649, "+++090/9337/55493+++"),
        ("*** 090 / 9337 / 55493 ***", Kind.ISO11649, "+++090/9337/55493+++"),
        ("090933755493", Kind.OGM, "+++090/9337/55493+++"),
        ("090933755493", Kind.ISO11649, "090933755493"),
        ("5000 0567 8901 2345", Kind.BETALINGSKENMERK, "5000056789012345"),
        ("Rechnung 7", Kind.BETALINGSKENMERK, "Rechnung 7"),
    ],
)
def test_as_it_is_kept(text: str, kind: Kind, kept: str) -> None:
    assert stored(text, kind) == kept


@pytest.mark.parametrize(
    ("text", "found"),
    [
        pytest.param("betaling RF18 5390 0754 7034, bedankt", {"RF18539007547034"}, id="in words"),
        pytest.param("RF18 5390 0754 7034 dank u", {"RF18539007547034", "RF18539007547034DANKU"}, id="by chance too"),
        pytest.param("/EREF/X/REMI/rf18539007547034/", {"RF18539007547034"}, id="in a bank's code words"),
        pytest.param("RF18 5390\n0754-7034", {"RF18539007547034"}, id="broken over lines"),
        pytest.param("***090/9337/55493***", {"+++090/9337/55493+++"}, id="stars"),
        pytest.param("OGM 090 9337 55493.", {"+++090/9337/55493+++"}, id="spaces"),
        pytest.param("factuur090933755493", set(), id="glued to a word"),
        pytest.param("kenmerk 5000 0567 8901 2345", {"5000056789012345"}, id="Dutch"),
        pytest.param("12 2345 3462 2567", {"12234534622567"}, id="Dutch with a length code"),
        pytest.param(
            "RF18539007547034 RF712348231, 5000056789012345",
            {"RF18539007547034", "RF712348231", "5000056789012345"},
            id="several",
        ),
        pytest.param("RF19539007547034, 090/9337/55494 en 5000 0567 8901 2346", set(), id="typed wrong"),
        pytest.param("", set(), id="nothing"),
        pytest.param("٥٠٠٠٠٥٦٧٨٩٠١٢٣٤٥", set(), id="digits of another script"),
    ],
)
def test_found_in_a_text(text: str, found: set[str]) -> None:
    assert {reference.text for reference in references_in(text)} == found


_WORDS = st.text(st.characters(codec="utf-8", exclude_categories=["Nd", "Lu", "Ll"]), max_size=20)


@given(st.sampled_from(Kind), st.integers(1, 10**10 - 1), _WORDS, _WORDS)
def test_found_between_any_signs(kind: Kind, number: int, before: str, after: str) -> None:
    reference = reference_of(kind, str(number))
    text = f"{before} Betr. {grouped(reference)} {after}"
    assert Reference(kind, reference) in references_in(text)


def test_a_huge_text_is_read_in_its_own_time() -> None:
    text = "RF18539007547034 0909 " + "RF18 " * 5_000 + " 0909" * 20_000 + "7" * 100_000
    assert references_in(text)[0].text == "RF18539007547034"
