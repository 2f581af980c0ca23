# SPDX-License-Identifier: MIT
"""Appends the operator chaff.Defend to an output of an ONNX model.

    append_defense.py MODEL.onnx DEFENDED.onnx --output logits --defense "dcp(beta=1.2)" [--policy "label_margin=0.011"]

The output keeps its name, type and shape, and holds defended probabilities; the logits have no name outside any more.
"""

import argparse

import onnx


def append_defense(model, output, defense, policy=""):
    graph = model.graph
    names = [each.name for each in graph.output]
    if output not in names:
        raise SystemExit(f"the model has no output {output}; its outputs are {', '.join(names)}")
    inner = f"{output}_undefended"
    taken = {name for node in graph.node for name in [*node.input, *node.output]}
    taken |= {each.name for each in [*graph.input, *graph.initializer]}
    if output not in {name for node in graph.node for name in node.output}:
        raise SystemExit(f"the output {output} is an input or a constant of the model; chaff.Defend goes behind a node")
    while inner in taken:
        inner += "_"
    for node in graph.node:
        for names in (node.input, node.output):
            for i, name in enumerate(names):
                if name == output:
                    names[i] = inner
    attributes = {"defense": defense}
    if policy:
        attributes["policy"] = policy
    graph.node.append(onnx.helper.make_node("Defend", [inner], [output], name="chaff.Defend", domain="chaff",
                                            **attributes))
    if not any(each.domain == "chaff" for each in model.opset_import):
        model.opset_import.append(onnx.helper.make_opsetid("chaff", 1))
    return model


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("defended")
    parser.add_argument("--output", required=True, help="the output that holds the logits")
    parser.add_argument("--defense", required=True, help='such as "dcp(beta=1.2) | rounded(decimals=3)"')
    parser.add_argument("--policy", default="", help='such as "label_margin=0.011"')
    arguments = parser.parse_args()
    model = append_defense(onnx.load(arguments.model), arguments.output, arguments.defense, arguments.policy)
    onnx.save(model, arguments.defended)


if __name__ == "__main__":
    main()
