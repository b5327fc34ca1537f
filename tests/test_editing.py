"""Changes to a network: whatever is done in whatever order, a graph comes out, or one clear sentence."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cnn_core import blocks, editing, presets, shapes, targets
from cnn_core.errors import SpecError
from cnn_core.layer_kinds import KINDS
from cnn_core.spec import INPUT, DataSpec, ModelSpec
from tests.strategies import graphs

IMAGES = DataSpec()
SERIES = DataSpec(dataset="mnist-1d", points_seen=32)
KNOWN = targets.of(IMAGES)


def built(*kinds: str) -> ModelSpec:
    """A chain of kinds."""
    model = editing.EMPTY
    for kind in kinds:
        model = editing.add(model, kind)
    return model


chains = st.lists(st.sampled_from([name for name, kind in KINDS.items() if kind.takes[0] == 1]), min_size=2, max_size=10).map(
    lambda kinds: editing.add_head(built(*kinds), KNOWN["label"])
)


def wiring(model: ModelSpec) -> dict[str, tuple[str, ...]]:
    return {layer.name: layer.inputs for layer in model.layers}


def two_branches() -> ModelSpec:
    """Two branches and two heads, from an empty editor."""
    model = built("Conv2D", "Activation", "MaxPooling2D", "Flatten", "Dense", "Activation")
    model = editing.configure(model, "activation_2", function="softmax")
    model = editing.add_head(model, KNOWN["label"])
    model = editing.add(model, "Dense", after="flatten_1", branch=True)
    model = editing.configure(model, "dense_2", units=1)
    model = editing.add(model, "Activation", after="dense_2")
    model = editing.configure(model, "activation_3", function="sigmoid")
    return editing.add_head(model, KNOWN["parity"])


class TestAdd:
    def test_each_feeds_the_next_and_has_a_name_of_its_own(self):
        assert wiring(built("Conv2D", "MaxPooling2D", "Conv2D")) == {
            "conv2d_1": (INPUT,),
            "max_pooling2d_1": ("conv2d_1",),
            "conv2d_2": ("max_pooling2d_1",),
        }

    def test_in_the_middle_of_a_chain_takes_over_what_follows(self):
        model = editing.add(built("Conv2D", "Flatten", "Dense"), "Dropout", after="flatten_1")
        assert list(wiring(model)) == ["conv2d_1", "flatten_1", "dropout_1", "dense_1"]
        assert wiring(model)["dense_1"] == ("dropout_1",)

    def test_in_front(self):
        model = editing.add(built("Conv2D", "Flatten"), "GaussianNoise", after=INPUT)
        assert wiring(model) == {"gaussian_noise_1": (INPUT,), "conv2d_1": ("gaussian_noise_1",), "flatten_1": ("conv2d_1",)}

    def test_behind_a_layer_with_a_head_takes_the_head_over(self):
        model = editing.add(editing.add_head(built("Flatten", "Dense"), KNOWN["label"]), "Activation")
        assert model.heads[0].layer == "activation_1"

    def test_a_branch_leaves_what_follows_where_it_is(self):
        model = editing.add(built("Conv2D", "Flatten"), "MaxPooling2D", after="conv2d_1", branch=True)
        assert wiring(model) == {"conv2d_1": (INPUT,), "flatten_1": ("conv2d_1",), "max_pooling2d_1": ("conv2d_1",)}

    def test_a_merge_starts_with_two_inputs(self):
        model = editing.add(built("Conv2D"), "Conv2D", after=INPUT, branch=True)
        assert wiring(editing.add(model, "Add"))["add_1"] == ("conv2d_2", "conv2d_1")
        assert wiring(editing.add(editing.EMPTY, "Add"))["add_1"] == (INPUT,)

    def test_a_kind_that_is_none_or_a_place_that_is_none(self):
        with pytest.raises(SpecError, match="There is no kind of layer 'LSTM'"):
            editing.add(editing.EMPTY, "LSTM")
        with pytest.raises(SpecError, match="There is no layer 'conv_9'"):
            editing.add(editing.EMPTY, "Dense", after="conv_9")

    def test_not_more_than_a_network_holds(self):
        with pytest.raises(SpecError, match="128 layers at most"):
            built(*["Dropout"] * 129)


class TestRemove:
    def test_what_it_fed_is_fed_by_its_input(self):
        model = editing.remove(built("Conv2D", "MaxPooling2D", "Flatten"), "max_pooling2d_1")
        assert wiring(model) == {"conv2d_1": (INPUT,), "flatten_1": ("conv2d_1",)}

    def test_heads_read_its_input_or_go(self):
        model = editing.add_head(built("Flatten", "Dense"), KNOWN["label"])
        model = editing.remove(model, "dense_1")
        assert model.heads[0].layer == "flatten_1"
        assert editing.remove(model, "flatten_1") == editing.EMPTY

    def test_a_merge_that_loses_a_branch_keeps_one_input(self):
        model = presets.preset("residual").spec.model
        model = editing.set_inputs(model, "block_1_sum", ("block_1_norm_2", "conv_1_relu"))
        for name in ("block_1_norm_2", "block_1_conv_2", "block_1_relu_1", "block_1_norm_1", "block_1_conv_1"):
            model = editing.remove(model, name)
        assert model.layer("block_1_sum").inputs == ("conv_1_relu",)
        assert "takes 2 to 8 inputs" in shapes.report(model, IMAGES).errors[0]

    def test_what_is_fed_in_stays(self):
        with pytest.raises(SpecError, match="is what is fed in"):
            editing.remove(built("Flatten"), INPUT)


class TestMove:
    def test_a_chain_is_rewired(self):
        model = editing.add_head(built("Conv2D", "MaxPooling2D", "Flatten"), KNOWN["label"])
        moved = editing.move_down(model, "max_pooling2d_1")
        assert wiring(moved) == {"conv2d_1": (INPUT,), "flatten_1": ("conv2d_1",), "max_pooling2d_1": ("flatten_1",)}
        assert moved.heads[0].layer == "max_pooling2d_1"

    def test_strangers_change_their_order_alone(self):
        model = editing.add(built("Conv2D"), "Conv2D", after=INPUT, branch=True)
        moved = editing.move_up(model, "conv2d_2")
        assert list(wiring(moved)) == ["conv2d_2", "conv2d_1"] and set(wiring(moved).values()) == {(INPUT,)}

    def test_the_shortcut_stays_with_its_sum(self):
        model = presets.preset("residual").spec.model
        moved = editing.move_down(model, "block_1_sum")
        assert moved.layer("block_1_relu").inputs == ("block_1_norm_2",)
        assert moved.layer("block_1_sum").inputs == ("block_1_relu", "conv_1_relu")
        assert not shapes.report(moved, IMAGES).errors

    def test_not_beyond_the_ends(self):
        model = built("Conv2D", "Flatten")
        with pytest.raises(SpecError, match="is the first"):
            editing.move_up(model, "conv2d_1")
        with pytest.raises(SpecError, match="is the last"):
            editing.move_down(model, "flatten_1")

    @given(chains, st.data())
    def test_up_and_then_down_is_where_it_was(self, model, data):
        name = data.draw(st.sampled_from([layer.name for layer in model.layers[1:]]))
        assert editing.move_down(editing.move_up(model, name), name) == model

    @given(st.sampled_from(sorted(presets.PRESETS)), st.data())
    def test_down_and_then_up_keeps_the_order_of_any_graph(self, preset, data):
        model = presets.preset(preset).spec.model
        name = data.draw(st.sampled_from([layer.name for layer in model.layers[:-1]]))
        assert list(wiring(editing.move_up(editing.move_down(model, name), name))) == list(wiring(model))


class TestChange:
    @given(graphs(), st.data())
    def test_a_name_given_and_taken_back(self, drawn, data):
        model, _ = drawn
        name = data.draw(st.sampled_from([layer.name for layer in model.layers]))
        renamed = editing.rename(model, name, "somewhere_new")
        assert name not in {*wiring(renamed), *(source for inputs in wiring(renamed).values() for source in inputs)}
        assert editing.rename(renamed, "somewhere_new", name) == model

    @pytest.mark.parametrize("name", ["", "Conv", "conv 1", "1conv", "x" * 49, "größe", "conv\n"])
    def test_a_name_that_is_none(self, name):
        with pytest.raises(SpecError, match="lower-case letters"):
            editing.rename(built("Conv2D"), "conv2d_1", name)

    def test_a_name_that_is_taken(self):
        with pytest.raises(SpecError, match="another layer"):
            editing.rename(built("Conv2D", "Flatten"), "conv2d_1", "flatten_1")
        with pytest.raises(SpecError, match="what is fed in"):
            editing.rename(built("Conv2D"), "conv2d_1", INPUT)
        model = built("Conv2D")
        assert editing.rename(model, "conv2d_1", "conv2d_1") == model

    def test_inputs_stand_before(self):
        model = built("Conv2D", "Activation", "Add")
        assert editing.set_inputs(model, "add_1", ["conv2d_1", INPUT]).layer("add_1").inputs == ("conv2d_1", INPUT)
        for inputs, words in ((["add_1"], "does not stand before"), ([], "at least one input"), (["conv2d_1"] * 9, "8 inputs")):
            with pytest.raises(SpecError, match=words):
                editing.set_inputs(model, "add_1", inputs)

    def test_settings(self):
        model = editing.configure(built("Conv2D"), "conv2d_1", filters=12, kernel_l2=0.01)
        assert (model.layers[0].filters, model.layers[0].kernel_l2) == (12, 0.01)
        for wrong in ({"filters": 0}, {"filters": "many"}, {"units": 3}, {"name": "other"}, {"kernel_l2": float("nan")}):
            with pytest.raises(SpecError):
                editing.configure(model, "conv2d_1", **wrong)

    def test_another_kind_in_the_same_place(self):
        model = editing.configure(
            built("Conv2D", "MaxPooling2D", "Flatten"), "conv2d_1", filters=12, kernel_size=5, kernel_l2=0.01
        )
        model = editing.change_kind(model, "conv2d_1", "SeparableConv2D")
        assert wiring(model) == {
            "separable_conv2d_1": (INPUT,),
            "max_pooling2d_1": ("separable_conv2d_1",),
            "flatten_1": ("max_pooling2d_1",),
        }
        conv = model.layers[0]
        assert (conv.filters, conv.kernel_size, conv.kernel_l2) == (12, 5, 0.01)
        named = editing.rename(model, "max_pooling2d_1", "halves")
        assert editing.change_kind(named, "halves", "AveragePooling2D").layer("halves").kind == "AveragePooling2D"
        assert editing.change_kind(model, "flatten_1", "Flatten") == model
        for name, kind, words in (("flatten_1", "Nothing", "no kind of layer"), ("away", "Dense", "There is no layer")):
            with pytest.raises(SpecError, match=words):
                editing.change_kind(model, name, kind)

    def test_every_kind_becomes_every_other_that_takes_as_many_inputs(self):
        for one, old in KINDS.items():
            for other, new in KINDS.items():
                if old.takes == new.takes:
                    model = editing.change_kind(built(one), built(one).layers[0].name, other)
                    assert (model.layers[0].kind, model.layers[0].name) == (other, built(other).layers[0].name)
        wide = editing.configure(built("MaxPooling2D"), "max_pooling2d_1", strides=7, padding="same")
        conv = editing.change_kind(wide, "max_pooling2d_1", "Conv2D").layers[0]
        assert (conv.strides, conv.padding) == (1, "same")  # a convolution moves by 4 at most

    def test_heads_follow_a_layer_of_another_kind(self):
        model = editing.add_head(built("Flatten", "Dense"), KNOWN["label"])
        assert editing.change_kind(model, "dense_1", "Activation").heads[0].layer == "activation_1"

    def test_a_copy_stands_behind_and_passes_on(self):
        model = editing.duplicate(built("Conv2D", "Flatten"), "conv2d_1")
        assert wiring(model) == {"conv2d_1": (INPUT,), "conv2d_2": ("conv2d_1",), "flatten_1": ("conv2d_2",)}


class TestHeads:
    def test_from_nothing_to_two_branches_and_two_heads(self):
        model = two_branches()
        assert [(head.name, head.layer, head.loss) for head in model.heads] == [
            ("label", "activation_2", "categorical_crossentropy"),
            ("parity", "activation_3", "binary_crossentropy"),
        ]
        assert not shapes.report(model, IMAGES).errors

    def test_a_target_brings_its_loss(self):
        model = editing.add_head(built("Flatten", "Dense"), targets.of(SERIES)["label"])
        changed = editing.change_head(model, "label", targets.of(SERIES), target="forecast")
        assert changed.heads[0].loss == "mean_squared_error"
        kept = editing.change_head(changed, "label", targets.of(SERIES), loss="mean_absolute_error", loss_weight=0.5)
        assert (kept.heads[0].loss, kept.heads[0].loss_weight) == ("mean_absolute_error", 0.5)

    def test_what_cannot_be(self):
        model = editing.add_head(editing.add_head(built("Flatten", "Dense"), KNOWN["label"]), KNOWN["label"])
        assert [head.name for head in model.heads] == ["label", "label_2"]
        for wrong in ({"name": "label_2"}, {"name": "No"}, {"layer": "away"}, {"layer": INPUT}, {"loss_weight": 0}, {"size": 3}):
            with pytest.raises(SpecError):
                editing.change_head(model, "label", KNOWN, **wrong)
        with pytest.raises(SpecError, match="Add a layer first"):
            editing.add_head(editing.EMPTY, KNOWN["label"])
        with pytest.raises(SpecError, match="There is no head"):
            editing.remove_head(model, "away")
        with pytest.raises(SpecError, match="8 heads at most"):
            for _ in range(9):
                model = editing.add_head(model, KNOWN["label"])

    def test_the_network_of_no_layers_is_told_what_it_lacks(self):
        assert "no layer yet" in shapes.report(editing.EMPTY, IMAGES).errors[0]


@st.composite
def changes(draw: st.DrawFn) -> list:
    """What a person might do, in any order; which layer is meant is said by a number."""
    number = st.integers(0, 200)
    step = st.one_of(
        st.tuples(st.just("add"), number, st.sampled_from(sorted(KINDS)), st.booleans()),
        st.tuples(
            st.sampled_from(("remove", "duplicate", "move_up", "move_down", "add_head", "remove_head", "change_head")), number
        ),
        st.tuples(st.just("change_kind"), number, st.sampled_from(sorted(KINDS))),
        st.tuples(st.just("rename"), number, st.sampled_from(("conv", "flat", "Bad Name", "input", "dense_1"))),
        st.tuples(st.just("set_inputs"), number, st.lists(number, max_size=4)),
        st.tuples(st.just("configure"), number, st.sampled_from(("filters", "units", "rate", "padding")), st.integers(-1, 5)),
    )
    return draw(st.lists(step, max_size=30))


def done(model: ModelSpec, step: tuple) -> ModelSpec:
    """The network after one change."""
    change, number, *rest = step
    known = list(targets.of(SERIES).values())
    names = [INPUT, *(layer.name for layer in model.layers), "away"]
    heads = [*(head.name for head in model.heads), "away"]
    name, head, target = names[number % len(names)], heads[number % len(heads)], known[number % len(known)]
    if change == "add":
        return editing.add(model, rest[0], name, rest[1])
    if change == "add_head":
        return editing.add_head(model, target, name if number % 2 else None)
    if change == "remove_head":
        return editing.remove_head(model, head)
    if change == "change_head":
        return editing.change_head(model, head, targets.of(SERIES), target=target.name, layer=name)
    if change == "set_inputs":
        return editing.set_inputs(model, name, [names[one % len(names)] for one in rest[0]])
    if change == "configure":
        return editing.configure(model, name, **{rest[0]: rest[1]})
    return getattr(editing, change)(model, name, *rest)


@settings(max_examples=300, deadline=None)
@given(st.sampled_from((None, *sorted(presets.PRESETS))), changes())
def test_whatever_is_done_a_graph_comes_out_or_a_sentence(preset, steps):
    model = editing.EMPTY if preset is None else presets.preset(preset).spec.model
    for step in steps:
        try:
            model = done(model, step)
        except SpecError as error:
            assert str(error).endswith(".") and "\n" not in str(error)
        assert ModelSpec.model_validate_json(model.model_dump_json()) == model  # its validator finds no fault
        for data in (IMAGES, SERIES):
            shapes.report(model, data)
        if (simple := blocks.from_graph(model)) is not None:
            assert blocks.to_graph(simple) == model


@pytest.mark.parametrize("kind", sorted(KINDS))
@pytest.mark.parametrize("behind", ["conv_1", "pool_1", "flatten", "dense_1", "softmax"])
def test_a_network_that_blocks_cannot_make_is_known_as_one(kind, behind):
    model = editing.add(presets.preset("tiny").spec.model, kind, behind)
    simple = blocks.from_graph(model)
    assert simple is None or blocks.to_graph(simple) == model


@pytest.mark.parametrize("function", ["silu", "softplus", "softmax", "gelu"])
def test_an_activation_that_no_block_has(function):
    model = editing.configure(presets.preset("tiny").spec.model, "activation_1", function=function)
    assert (blocks.from_graph(model) is None) == (function != "gelu")
