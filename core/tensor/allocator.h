// The memory behind tensors. Small blocks (up to 1 KiB) come from free lists of the calling thread, a few
// nanoseconds each; larger ones are kept by size class and reused, because touching fresh memory costs several times
// more than the arithmetic done on it.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#if defined(__SANITIZE_ADDRESS__)
#define RL_PLAIN_ALLOCATOR 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define RL_PLAIN_ALLOCATOR 1
#endif
#endif

// Initial-exec storage is one instruction away; the few hundred bytes fit glibc's reserve for loaded libraries.
#if defined(__GLIBC__) && !defined(__clang__)
#define RL_FAST_TLS __attribute__((tls_model("initial-exec")))
#else
#define RL_FAST_TLS
#endif

namespace rl {

struct MemoryStats {
  size_t allocated;  // bytes in live blocks, rounded up to their size classes
  size_t cached;     // bytes kept for reuse
  size_t peak;       // the largest `allocated` seen (small blocks counted in batches)
};

MemoryStats memory_stats();
void empty_cache();  // gives cached medium and large blocks back to the system

namespace detail {

inline constexpr int kSmallBins = 16;
inline constexpr size_t kSmallMax = 1024;
inline constexpr uint16_t kSmallSize[kSmallBins] = {16,  32,  48,  64,  96,  128, 192, 256,
                                                    320, 384, 448, 512, 640, 768, 896, 1024};

struct SmallBinOf {
  uint8_t bin[kSmallMax / 16 + 1];
  constexpr SmallBinOf() : bin() {
    int b = 0;
    for (size_t units = 0; units <= kSmallMax / 16; ++units) {
      while (kSmallSize[b] < units * 16) ++b;
      bin[units] = static_cast<uint8_t>(b);
    }
  }
};
inline constexpr SmallBinOf kSmallBinOf;

struct FreeBlock {
  FreeBlock* next;
};

// `limit` is 0 until the thread's exit hook is installed and again after it ran, which sends every release through
// the slow path. `count` is atomic only so that memory_stats() may read it from another thread.
struct SmallBin {
  FreeBlock* head;
  std::atomic<int32_t> count;
  int32_t limit;
};
struct SmallCache {
  SmallBin bins[kSmallBins];
};

extern thread_local constinit SmallCache small_cache RL_FAST_TLS;

void* allocate_slow(size_t bytes);
void deallocate_slow(void* p, size_t bytes) noexcept;

}  // namespace detail

// At least `bytes` bytes, 64-byte aligned from 256 bytes up (16 below). Throws OutOfMemory.
[[nodiscard]] inline void* allocate(size_t bytes) {
#if !defined(RL_PLAIN_ALLOCATOR)
  if (bytes <= detail::kSmallMax) [[likely]] {
    detail::SmallBin& bin = detail::small_cache.bins[detail::kSmallBinOf.bin[(bytes + 15) / 16]];
    if (detail::FreeBlock* block = bin.head) [[likely]] {
      bin.head = block->next;
      bin.count.store(bin.count.load(std::memory_order_relaxed) - 1, std::memory_order_relaxed);
      return block;
    }
  }
#endif
  return detail::allocate_slow(bytes);
}

// `bytes` must be what allocate() was asked for. Any thread may release any block.
inline void deallocate(void* p, size_t bytes) noexcept {
#if !defined(RL_PLAIN_ALLOCATOR)
  if (bytes <= detail::kSmallMax) [[likely]] {
    detail::SmallBin& bin = detail::small_cache.bins[detail::kSmallBinOf.bin[(bytes + 15) / 16]];
    int32_t count = bin.count.load(std::memory_order_relaxed);
    if (p != nullptr && count < bin.limit) [[likely]] {
      auto* block = static_cast<detail::FreeBlock*>(p);
      block->next = bin.head;
      bin.head = block;
      bin.count.store(count + 1, std::memory_order_relaxed);
      return;
    }
  }
#endif
  detail::deallocate_slow(p, bytes);
}

}  // namespace rl
