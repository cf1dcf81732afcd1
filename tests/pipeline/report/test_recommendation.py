"""The recommendation, on results made by hand."""

import pytest
from scheme_results import check, result

from pipeline.report.recommendation import recommend
from pipeline.report.schemes import SchemeResult

FLOAT32 = result("float32", 107.4)
MOVED = check("attention_total_variation", 0.031, 0.024)


@pytest.mark.parametrize(
    ("results", "reason"),
    [
        ([FLOAT32, result("int8", 36.8)], "int8: 36.8 kB, all 2 checks hold."),
        (
            [FLOAT32, result("int8", 36.8, MOVED), result("int8-attention-int16", 37.9)],
            "int8-attention-int16: 37.9 kB, all 2 checks hold; "
            "int8 is 36.8 kB but its attention total variation 0.031 exceeds 0.024.",
        ),
        (  # a larger file that fails speaks against nothing
            [FLOAT32, result("float16", 59.3, MOVED), result("int8", 36.8)],
            "int8: 36.8 kB, all 2 checks hold.",
        ),
        (
            [FLOAT32, result("dynamic", 92.6), result("float16", 59.3)],
            "float16: 59.3 kB, all 2 checks hold.",
        ),
        (
            [
                FLOAT32,
                result("int8", 36.8, check("attention_top1_agreement", 0.9, 0.95), MOVED, MOVED),
                result("float16", 59.3, check("attention_max_error", None, 0.05), MOVED),
            ],
            "float32: no smaller scheme holds every limit; int8 is 36.8 kB but its attention top1 agreement "
            "90.0 % falls short of 95.0 % and 2 more checks fail, float16 is 59.3 kB but its attention max "
            "error was not measured and 1 more check fails.",
        ),
        (
            [result("float32", 107.4, MOVED), result("int8", 36.8, MOVED)],
            "float32: no scheme holds every limit; int8 is 36.8 kB but its attention total variation 0.031 "
            "exceeds 0.024, float32 is 107.4 kB but its attention total variation 0.031 exceeds 0.024.",
        ),
        ([FLOAT32], "float32: 107.4 kB, all 2 checks hold."),
        (  # a tiny model may be smallest in float32
            [result("float32", 9.9), result("int8", 12.0)],
            "float32: 9.9 kB, the smallest, all 2 checks hold.",
        ),
        (  # that a larger one fails is no reason
            [result("float32", 10.0), result("int8", 12.3, MOVED)],
            "float32: 10.0 kB, the smallest, all 2 checks hold.",
        ),
        (  # nor does it speak against what is smaller and fails too
            [result("float32", 10.0), result("int8", 12.3, MOVED), result("float16", 9.0, MOVED)],
            "float32: no smaller scheme holds every limit; float16 is 9.0 kB but its attention total "
            "variation 0.031 exceeds 0.024.",
        ),
        (  # silence does not hold a limit
            [FLOAT32, result("int8", 36.8, checks=())],
            "float32: no smaller scheme holds every limit; int8 is 36.8 kB but nothing of it was held "
            "against a limit.",
        ),
        (  # a value that looks like its limit has as many digits as it takes
            [FLOAT32, result("int8", 36.8, check("attention_max_error", 0.050001, 0.05))],
            "float32: no smaller scheme holds every limit; int8 is 36.8 kB but its attention max error "
            "0.050001 exceeds 0.05.",
        ),
    ],
)
def test_the_smallest_that_holds_every_limit_with_the_reason(
    results: list[SchemeResult], reason: str
) -> None:
    found = recommend(results)
    assert found.reason == reason
    assert found.scheme == reason.split(":")[0]


@pytest.mark.parametrize(
    ("a", "b"),
    [
        (result("a", 40, latency_ms=0.5), result("b", 40, latency_ms=0.6)),
        (result("a", 40, agreement=0.999), result("b", 40, agreement=0.99)),
        (result("a", 40, agreement=0.99), result("b", 40.001, agreement=1.0, latency_ms=0.1)),
    ],
)
def test_of_equal_sizes_the_faster_then_the_one_that_agrees_more(a: SchemeResult, b: SchemeResult) -> None:
    for results in ([FLOAT32, a, b], [b, a, FLOAT32]):
        assert recommend(results).scheme == "a"
