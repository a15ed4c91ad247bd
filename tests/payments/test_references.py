import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import BadInput
from payments.references import creditor_reference, grouped, is_creditor_reference

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


@pytest.mark.parametrize("text", ["RF18539007547035", "RF00539007547034", "RF18", "+++090/9337/55493+++", "", "RF18 é"])
def test_what_is_none(text: str) -> None:
    assert not is_creditor_reference(text)


@given(st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", min_size=1, max_size=21), st.data())
def test_one_wrong_character_is_seen(number: str, data: st.DataObject) -> None:
    reference = creditor_reference(number)
    assert is_creditor_reference(reference)
    place = data.draw(st.integers(4, len(reference) - 1))
    wrong = data.draw(st.sampled_from("0123456789").filter(lambda digit: digit != reference[place]))
    if reference[place].isdigit():
        assert not is_creditor_reference(reference[:place] + wrong + reference[place + 1 :])


@pytest.mark.parametrize("number", ["", "--", "A" * 22])
def test_numbers_that_do_not_fit(number: str) -> None:
    with pytest.raises(BadInput):
        creditor_reference(number)


def test_signs_and_small_letters_do_not_matter() -> None:
    assert creditor_reference("f-2026/0042") == creditor_reference("F20260042")


@pytest.mark.parametrize(
    ("text", "shown"), [("RF18539007547034", "RF18 5390 0754 7034"), ("+++090/9337/55493+++", "+++090/9337/55493+++")]
)
def test_as_printed(text: str, shown: str) -> None:
    assert grouped(text) == shown
