# SPDX-License-Identifier: MIT
"""Writes the models of operator_test.cpp: make_models.py NETWORK.onnx FOLDER."""

import pathlib
import sys

import onnx
from onnx import TensorProto, helper

from append_defense import append_defense

FLOAT, DOUBLE, INT64 = TensorProto.FLOAT, TensorProto.DOUBLE, TensorProto.INT64


def through(element_type, outputs=("y",)):
    """A model that returns its input, of any shape, once for each output."""
    nodes = [helper.make_node("Identity", ["x"], [each]) for each in outputs]
    graph = helper.make_graph(nodes, "through", [helper.make_tensor_value_info("x", element_type, None)],
                              [helper.make_tensor_value_info(each, element_type, None) for each in outputs])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)


def branches():
    """A model that returns its input, and a copy of it from inside an If."""
    def body(name):
        return helper.make_graph([helper.make_node("Identity", ["y"], [name])], name, [],
                                 [helper.make_tensor_value_info(name, FLOAT, None)])

    model = through(FLOAT, ("y", "copy"))
    always = helper.make_tensor("always", TensorProto.BOOL, [], [True])
    del model.graph.node[1:]
    model.graph.node.extend([
        helper.make_node("Constant", [], ["is_true"], value=always),
        helper.make_node("If", ["is_true"], ["copy"], then_branch=body("then"), else_branch=body("otherwise"))])
    return model


def main():
    network, folder = sys.argv[1], pathlib.Path(sys.argv[2])

    def save(name, model, *arguments):
        onnx.save(append_defense(model, *arguments) if arguments else model, folder / f"{name}.onnx")

    save("network", onnx.load(network))
    save("network_defended", onnx.load(network), "logits", "dcp(beta=1.2)")
    save("float", through(FLOAT), "y", "dcp(beta=1.2)")
    save("double", through(DOUBLE), "y", "dcp(beta=1.2)")
    save("energy", through(FLOAT), "y", "energy_dcp(tau=1.5) | top_k(k=2)", "label_margin=0.011")
    save("three_classes", through(FLOAT), "y", "dcp(beta=1.2)", "classes=3")
    save("two_outputs", through(FLOAT, ("y", "features")), "y", "dcp(beta=1.2)")
    save("two_heads", append_defense(through(FLOAT, ("y", "features")), "y", "dcp(beta=1.2)"), "features", "dcp")
    save("branches", branches(), "y", "dcp(beta=1.2)", "", ["copy"])
    save("bad_defense", through(FLOAT), "y", "dcp(beta=-1)")
    save("bad_policy", through(FLOAT), "y", "dcp", "max_l1=3")
    save("label_cannot_be_kept", through(FLOAT), "y", "misdirect(key=000102030405060708090a0b0c0d0e0f)")
    for name, attributes in {"no_defense": {}, "number_for_defense": {"defense": 1.0},
                             "number_for_policy": {"defense": "dcp", "policy": 1.0},
                             "list_for_defense": {"defense": ["dcp"]}, "empty_defense": {"defense": ""},
                             "empty_policy": {"defense": "dcp(beta=1.2)", "policy": ""}}.items():
        model = append_defense(through(FLOAT), "y", "dcp")
        node = model.graph.node[-1]
        del node.attribute[:]
        node.attribute.extend(helper.make_attribute(key, value) for key, value in attributes.items())
        save(name, model)
    model = append_defense(through(FLOAT), "y", "dcp")
    del model.opset_import[1:]  # of the domain chaff
    save("no_import", model)
    model = append_defense(through(FLOAT), "y", "dcp")
    for value in [*model.graph.input, *model.graph.output]:
        value.type.tensor_type.elem_type = INT64
    save("integers", model)


if __name__ == "__main__":
    main()
