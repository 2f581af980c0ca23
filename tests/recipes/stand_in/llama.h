// SPDX-License-Identifier: MIT
/// Stands in for llama.cpp's header: what the recipe calls of it, as its llama.h has it (2025).
#pragma once
#include <cstdint>
#include <vector>

struct llama_vocab {
  int32_t tokens;
};
struct llama_model {
  llama_vocab vocab;
};
struct llama_context {
  llama_model model;
  std::vector<float> logits;
};
inline const llama_model* llama_get_model(const llama_context* context) {
  return &context->model;
}
inline const llama_vocab* llama_model_get_vocab(const llama_model* model) {
  return &model->vocab;
}
inline int32_t llama_vocab_n_tokens(const llama_vocab* vocab) {
  return vocab->tokens;
}
inline float* llama_get_logits_ith(llama_context* context, int32_t i) {
  return context->logits.data() + i * context->model.vocab.tokens;
}
