# SPDX-License-Identifier: MIT
"""Appends the operator chaff.Defend to an output of an ONNX model.

    append_defense.py MODEL.onnx DEFENDED.onnx --output logits --defense "dcp(beta=1.2)" [--policy "label_margin=0.011"]

The output keeps its name, type and shape, and holds defended probabilities. The logits are no output any more.
A model is refused if another output would still give the logits away, unless --leave names that output.
"""

import argparse
import re

import onnx
from onnx import TensorProto

# Types of outputs that hold labels at most.
LABELS = {TensorProto.INT32, TensorProto.INT64, TensorProto.BOOL, TensorProto.STRING}
# What the values of these operators are, as the policy's input calls it.
FORMS = {"Softmax": "probabilities", "LogSoftmax": "log_probabilities"}
# Operators that leave values as they are.
SAME_VALUES = {"Cast", "Flatten", "Identity", "Reshape", "Squeeze", "Unsqueeze"}


def nodes_in(graph):
    """The nodes of a graph, and those in the bodies of its If, Loop and Scan nodes."""
    for node in graph.node:
        yield node
        for attribute in node.attribute:
            for body in [attribute.g] if attribute.HasField("g") else attribute.graphs:
                yield from nodes_in(body)


def producers(graph):
    """The node that computes each value of a graph."""
    return {name: node for node in graph.node for name in node.output if name}


def is_defense(node):
    return node is not None and node.domain == "chaff" and node.op_type == "Defend"


def values_behind(graph, output):
    """The names of the values that an output is computed from, as far as the nearest defense."""
    producer, found, left = producers(graph), set(), [output]
    while left:
        node = producer.get(left.pop())
        if node is None or is_defense(node):
            continue
        bodies = [each for attribute in node.attribute for each in [attribute.g, *attribute.graphs]]
        read = {*node.input, *(name for body in bodies for each in nodes_in(body) for name in each.input)}
        left += read - found
        found |= read
    return found


def check(graph, output, policy, leave):
    """Exits with a sentence if a defense of this output would not work, or not help."""
    outputs = {each.name: each for each in graph.output}
    for name in [output, *leave]:
        if name not in outputs:
            raise SystemExit(f"the model has no output {name}; its outputs are {', '.join(outputs)}")
    producer = producers(graph)
    if output not in producer:
        raise SystemExit(f"the output {output} is an input or a constant of the model; chaff.Defend goes behind a node")

    element_type = outputs[output].type.tensor_type.elem_type
    if element_type not in (TensorProto.UNDEFINED, TensorProto.FLOAT, TensorProto.DOUBLE):
        raise SystemExit(f"the output {output} has the type {TensorProto.DataType.Name(element_type)}; chaff.Defend "
                         "takes FLOAT and DOUBLE, so put a Cast behind the logits")
    last = producer[output]
    while last.op_type in SAME_VALUES and last.input[0] in producer:
        last = producer[last.input[0]]
    if is_defense(last):
        raise SystemExit(f"the output {output} is defended already")
    if last.op_type in FORMS and not re.search(r"\binput\s*=", policy):
        raise SystemExit(f"the output {output} comes from a {last.op_type}, and the policy takes it for logits; add "
                         f'--policy "input={FORMS[last.op_type]}"')

    behind = values_behind(graph, output)
    for name, value in outputs.items():
        is_related = name in behind or output in values_behind(graph, name)
        if name != output and name not in leave and is_related and value.type.tensor_type.elem_type not in LABELS:
            raise SystemExit(f"the output {name} is computed from {output}, or {output} from it, and would give the "
                             f"logits away; remove it from the model, or leave it undefended with --leave {name}")


def append_defense(model, output, defense, policy="", leave=()):
    graph = model.graph
    check(graph, output, policy, leave)
    nodes = list(nodes_in(graph))
    taken = {name for node in nodes for name in [*node.input, *node.output]}
    taken |= {each.name for each in [*graph.input, *graph.initializer]}
    logits = f"{output}_undefended"
    while logits in taken:
        logits += "_"
    for node in nodes:
        for values in (node.input, node.output):
            for i, name in enumerate(values):
                if name == output:
                    values[i] = logits
    attributes = {"defense": defense, **({"policy": policy} if policy else {})}
    graph.node.append(onnx.helper.make_node("Defend", [logits], [output], name=f"chaff.Defend.{output}",
                                            domain="chaff", **attributes))
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
    parser.add_argument("--leave", action="append", default=[], metavar="OUTPUT",
                        help="an output that stays undefended although it gives the logits away; may be repeated")
    arguments = parser.parse_args()
    model = append_defense(onnx.load(arguments.model), arguments.output, arguments.defense, arguments.policy,
                           arguments.leave)
    onnx.save(model, arguments.defended)


if __name__ == "__main__":
    main()
