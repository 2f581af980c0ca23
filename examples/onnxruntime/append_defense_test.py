# SPDX-License-Identifier: MIT
"""What append_defense.py makes of a model, and which models it refuses."""

import unittest

from onnx import TensorProto, helper

from append_defense import append_defense

FLOAT, INT64 = TensorProto.FLOAT, TensorProto.INT64


def node(op, inputs, outputs, **attributes):
    return helper.make_node(op, inputs.split(), outputs.split(), **attributes)


def model_of(nodes, outputs):
    """A model with the input x of float, and outputs of the element types given."""
    graph = helper.make_graph(nodes, "test", [helper.make_tensor_value_info("x", FLOAT, None)],
                              [helper.make_tensor_value_info(*each, None) for each in outputs.items()])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)


def network(*more, output_type=FLOAT, **outputs):
    return model_of([node("Relu", "x", "features"), node("Identity", "features", "logits"), *more],
                    {"logits": output_type, **outputs})


def branch(op):
    body = helper.make_graph([node(op, "logits", "inner")], "body", [],
                             [helper.make_tensor_value_info("inner", FLOAT, None)])
    return [node("If", "is_true", "copy", then_branch=body, else_branch=body)]


class AppendDefense(unittest.TestCase):
    def assert_refused(self, sentence, model, output="logits", policy="", leave=()):
        with self.assertRaises(SystemExit) as refusal:
            append_defense(model, output, "dcp", policy, leave)
        self.assertIn(sentence, str(refusal.exception))

    def test_operator_is_appended_with_its_attributes_and_domain(self):
        model = append_defense(network(), "logits", "dcp(beta=1.2)", "label_margin=0.011")
        appended = model.graph.node[-1]
        self.assertEqual((appended.domain, appended.op_type, list(appended.output)), ("chaff", "Defend", ["logits"]))
        self.assertEqual({each.name: each.s.decode() for each in appended.attribute},
                         {"defense": "dcp(beta=1.2)", "policy": "label_margin=0.011"})
        self.assertEqual([(each.domain, each.version) for each in model.opset_import], [("", 13), ("chaff", 1)])
        self.assertEqual([each.name for each in model.graph.output], ["logits"])

    def test_output_without_a_defense_is_refused_by_name(self):
        self.assert_refused("no output scores; its outputs are logits", network(), "scores")

    def test_name_of_the_logits_is_not_one_that_a_body_has(self):
        body = helper.make_graph([node("Identity", "x", "logits_undefended")], "body", [],
                                 [helper.make_tensor_value_info("logits_undefended", FLOAT, None)])
        model = append_defense(network(node("If", "x", "z", then_branch=body, else_branch=body)), "logits", "dcp")
        self.assertEqual(list(model.graph.node[-1].input), ["logits_undefended_"])

    def test_output_that_is_computed_from_the_logits_is_refused(self):
        def model():
            return network(node("Softmax", "logits", "p"), p=FLOAT)
        self.assert_refused("the output p ", model())
        self.assert_refused("the output logits ", model(), "p", "input=probabilities")
        append_defense(model(), "logits", "dcp", leave=["p"])

    def test_output_that_the_logits_are_computed_from_is_refused(self):
        self.assert_refused("the output features ", network(features=FLOAT))

    def test_output_that_a_body_computes_from_the_logits_is_refused(self):
        self.assert_refused("the output copy ", network(*branch("Relu"), copy=FLOAT))

    def test_output_through_more_than_one_node_is_refused(self):
        self.assert_refused("the output b ", network(node("Relu", "logits", "a"), node("Relu", "a", "b"), b=FLOAT))

    def test_label_and_another_head_are_left(self):
        append_defense(network(node("ArgMax", "logits", "label"), label=INT64), "logits", "dcp")
        append_defense(network(node("Relu", "x", "other"), other=FLOAT), "logits", "dcp")

    def test_quantised_copy_of_the_logits_is_refused(self):
        self.assert_refused("the output q ", network(node("QuantizeLinear", "logits scale", "q"), q=TensorProto.INT8))

    def test_both_outputs_can_be_defended_in_either_order(self):
        policies = {"logits": "", "p": "input=probabilities"}
        for first, second in (("logits", "p"), ("p", "logits")):
            model = network(node("Softmax", "logits", "p"), p=FLOAT)
            append_defense(model, first, "dcp", policies[first], leave=[second])
            append_defense(model, second, "dcp", policies[second])
            names = [each.name for each in model.graph.node if each.op_type == "Defend"]
            self.assertEqual(len(set(names)), 2)

    def test_unknown_output_that_is_left_is_refused(self):
        self.assert_refused("no output q", network(), leave=["q"])

    def test_softmax_is_refused_where_the_policy_does_not_say_so(self):
        for op, form in {"Softmax": "probabilities", "LogSoftmax": "log_probabilities"}.items():
            for last in ([node(op, "x", "y")], [node(op, "x", "a"), node("Identity", "a", "y")]):
                self.assert_refused(f"input={form}", model_of(last, {"y": FLOAT}), "y")
                self.assert_refused(f"input={form}", model_of(last, {"y": FLOAT}), "y", "label_margin=0.011")
                append_defense(model_of(last, {"y": FLOAT}), "y", "dcp", f"max_l1=1, input = {form}")

    def test_softmax_inside_a_network_is_not_the_outputs(self):
        append_defense(model_of([node("Softmax", "x", "a"), node("MatMul", "a w", "y")], {"y": FLOAT}), "y", "dcp")

    def test_defended_output_is_refused(self):
        self.assert_refused("already", append_defense(network(), "logits", "dcp"))

    def test_types_that_the_operator_does_not_take_are_refused(self):
        self.assert_refused("FLOAT16", network(output_type=TensorProto.FLOAT16))
        self.assert_refused("INT64", network(output_type=INT64))
        append_defense(network(output_type=TensorProto.DOUBLE), "logits", "dcp")

    def test_input_that_is_an_output_is_refused(self):
        self.assert_refused("goes behind a node", model_of([], {"x": FLOAT}), "x")

    def test_bodies_read_the_logits_that_nodes_outside_read(self):
        model = append_defense(network(*branch("Relu"), copy=FLOAT), "logits", "dcp", leave=["copy"])
        for attribute in model.graph.node[2].attribute:
            self.assertEqual(list(attribute.g.node[0].input), ["logits_undefended"])


if __name__ == "__main__":
    unittest.main()
