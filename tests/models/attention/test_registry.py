from models.attention import attention_class, attention_classes
from models.config import ATTENTION_KINDS


def test_every_kind_of_a_configuration_is_a_layer_and_the_other_way_round() -> None:
    assert set(ATTENTION_KINDS) == set(attention_classes())
    assert len(set(attention_classes().values())) == len(ATTENTION_KINDS)


def test_a_layer_is_found_by_its_kind() -> None:
    for kind in ATTENTION_KINDS:
        assert attention_class(kind).kind == kind


def test_who_gets_the_registry_cannot_change_it() -> None:
    attention_classes().clear()
    assert attention_classes()
