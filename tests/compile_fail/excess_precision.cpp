// SPDX-License-Identifier: MIT
#ifdef BAD
#undef __FLT_EVAL_METHOD__
#define __FLT_EVAL_METHOD__ 2  // as the compilers do for i386 without SSE2
#endif
#include <chaff/apply.hpp>
#include <chaff/defenses/dcp.hpp>
void answer(std::span<const float> logits, std::span<float> to) {
  chaff::apply(chaff::dcp{}, logits, to);
}
