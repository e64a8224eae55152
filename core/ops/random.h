// Draws for a function that is run on one item of a batch after another (func.vmap).
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace rl {

// From now on, what draws numbers does so for all `items` at its first call, as one op over the whole batch would, and
// each item gets its part. Batches nest.
void push_batched_draws(int64_t items);
void pop_batched_draws();
void begin_batched_item(int64_t item);  // of the innermost batch

// How many draws each batch has given its item. Set back, the same draws are given again.
std::vector<size_t> batched_draw_cursors();
void set_batched_draw_cursors(const std::vector<size_t>& cursors);

}  // namespace rl
