// SPDX-License-Identifier: MIT
/// A user's translation unit with global variables that have the names of the library's parameters and locals.
/// With -Wshadow, GCC compares the names in templates with the globals that are known where they are instantiated.
#include "boundary/everything.hpp"

int alpha, answer, argument, array, at, batch, begin, benign, beta, bits, bytes, calibration, chosen, classes, columns,
    confidence, count, cutoff, data, decimals, decoy, defense, deviation, each, end, energy, epsilon, error, evidence,
    factor, first, form, gate, grid, guide, hash, i, input, item, j, k, key, label, labels, last, layout, left, length,
    limit, logits, lower, margin, mass, matrix, maximum, mean, message, minimum, model, n, name, names, next, noise, nu,
    number, odds, offset, original, output, parameters, part, parts, perturbation, policy, position, posterior,
    probabilities, query, rank, reduction, reductions, response, result, right, row, rows, rule, scale, score, shape,
    share, sigma, size, source, start, step, stride, sum, surrogate, table, target, tau, text, total, upper, use, value,
    values, view, visit, weight, weights, width, word, x, y, z;

template void everything::use_all<float>(std::span<const float>, std::span<float>, std::span<const int>);
template void everything::use_all<double>(std::span<const double>, std::span<double>, std::span<const int>);

void use_int8(std::span<const std::int8_t> codes);
void use_int8(std::span<const std::int8_t> codes) {
  everything::use_int8(codes);
}
