#include "tensor/meta.h"

#include <cstring>

#include "tensor/allocator.h"

#if defined(__linux__) || defined(__APPLE__)
#include <sys/mman.h>
#define RL_CAN_RESERVE
#endif

namespace rl {
namespace {

// Small ones are memory after all, of zeros: less than a page is not worth a call of the system.
constexpr size_t kReserved = 1 << 16;

struct Region {
  void* data;
  size_t bytes;
};

void give_back(void* context) {
  Region* region = static_cast<Region*>(context);
#if defined(RL_CAN_RESERVE)
  if (region->bytes >= kReserved)
    munmap(region->data, region->bytes);
  else
#endif
    deallocate(region->data, region->bytes);
  deallocate(region, sizeof(Region));
}

void* reserve(size_t bytes) {
#if defined(RL_CAN_RESERVE)
  if (bytes >= kReserved) {
    void* data = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (data == MAP_FAILED) fail(ErrorKind::Runtime, "no address space for a meta tensor of ", bytes, " bytes");
    return data;
  }
#endif
  void* data = rl::allocate(bytes);
  std::memset(data, 0, bytes);
  return data;
}

}  // namespace

Ref<Storage> allocate_meta(size_t bytes) {
  Region* region = static_cast<Region*>(rl::allocate(sizeof(Region)));
  *region = {reserve(bytes), bytes};
  return Storage::external(region->data, bytes, give_back, region);
}

bool is_meta(const Storage& storage) { return storage.deleter() == give_back; }

Tensor meta_like(const Tensor& t) {
  MetaScope scope(true);
  return Tensor::empty_strided(t.sizes(), t.strides(), t.dtype());
}

void fail_without_data() { fail(ErrorKind::NotImplemented, "Cannot copy out of meta tensor; no data!"); }

}  // namespace rl
