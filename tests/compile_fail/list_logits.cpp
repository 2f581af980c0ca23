// SPDX-License-Identifier: MIT
#include <chaff/chaff.hpp>
#include <list>
#ifdef BAD
using logits_type = std::list<float>;
#else
using logits_type = std::vector<float>;
#endif
void answer(const logits_type& logits, std::vector<float>& output) {
  chaff::apply(chaff::dcp{}, logits, output);
}
