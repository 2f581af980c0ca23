// SPDX-License-Identifier: MIT
/// Which victims are attacked with which images.
#ifndef CHAFF_BENCHMARKS_STEALING_SCENES_HPP
#define CHAFF_BENCHMARKS_STEALING_SCENES_HPP

/// A victim, and the images with which it is queried.
struct scene {
  const char *victim, *query_data;
  const char *name, *queries;  ///< of both, as text
};
inline constexpr scene mnist_scene{"mnist", "fashion_mnist", "MNIST", "out-of-distribution images (Fashion-MNIST)"},
    fashion_scene{"fashion_mnist", "fashion_mnist", "Fashion-MNIST", "its own training images"},
    glyphs_scene{"glyphs", "glyphs", "glyphs (111 classes)", "its own training images"};
inline constexpr scene scenes[]{mnist_scene, fashion_scene, glyphs_scene};

#endif
