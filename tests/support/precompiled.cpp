// SPDX-License-Identifier: MIT
/// Owns the precompiled header, which the tests reuse.
