// The one thread pool. Work is split into chunks taken from an atomic counter; the calling thread works too and
// never waits for a helper that has taken no chunk.
#pragma once

#include <cstdint>
#include <type_traits>

namespace rl {

int num_threads();
void set_num_threads(int n);
bool in_parallel_region();

// Called around work that runs long without touching Python (the binding installs functions that release the GIL).
struct BlockingHooks {
  void* (*enter)() = nullptr;
  void (*leave)(void*) = nullptr;
};
void set_blocking_hooks(BlockingHooks hooks);

// Releases the GIL (if a hook is installed and the caller holds it) for its lifetime. Inside, tensors' reference
// counts must not be touched: kernels work on pointers, shapes and strides only.
class BlockingRegion {
 public:
  BlockingRegion();
  ~BlockingRegion();
  BlockingRegion(const BlockingRegion&) = delete;
  BlockingRegion& operator=(const BlockingRegion&) = delete;

 private:
  void* state_ = nullptr;
};

namespace detail {
using ChunkFn = void (*)(void* context, int64_t begin, int64_t end);
void run_chunks(int64_t n, int64_t grain, ChunkFn fn, void* context);
void run_light_chunks(int64_t n, int64_t grain, ChunkFn fn, void* context);
}  // namespace detail

// Calls body(begin, end) over [0, n) in chunks of at least `grain` items, on several threads when there is more than
// one chunk. Small work (n <= grain) runs at once on the caller. An exception from any chunk is rethrown here.
template <class Body>
inline void parallel_for(int64_t n, int64_t grain, Body&& body) {
  if (n <= 0) return;
  if (n <= grain) {
    body(int64_t{0}, n);
    return;
  }
  using B = std::remove_reference_t<Body>;
  detail::run_chunks(
      n, grain, [](void* context, int64_t begin, int64_t end) { (*static_cast<B*>(context))(begin, end); },
      const_cast<void*>(static_cast<const void*>(&body)));
}

// The same where a chunk may be less work than waking a thread: sleeping ones are woken only if the first chunk shows
// that it pays.
template <class Body>
inline void parallel_for_light(int64_t n, int64_t grain, Body&& body) {
  if (n <= 0) return;
  if (n <= grain) {
    body(int64_t{0}, n);
    return;
  }
  using B = std::remove_reference_t<Body>;
  detail::run_light_chunks(
      n, grain, [](void* context, int64_t begin, int64_t end) { (*static_cast<B*>(context))(begin, end); },
      const_cast<void*>(static_cast<const void*>(&body)));
}

}  // namespace rl
