#include "tensor/tensor.h"

#include <algorithm>
#include <cctype>
#include <new>
#include <string_view>

#include "tensor/allocator.h"
#include "tensor/destination.h"
#include "tensor/meta.h"
#include "tensor/shape.h"

namespace rl {

void (*TensorImpl::drop_pyobj)(void*) = nullptr;

namespace {
size_t bytes_for(IntSpan sizes, DType dtype) {
  size_t n = static_cast<size_t>(item_size(dtype));
  for (int64_t s : sizes) {
    if (__builtin_mul_overflow(n, static_cast<size_t>(s), &n) || n > (size_t{1} << 62))
      fail(ErrorKind::Runtime, "Storage size calculation overflowed with sizes=", shape_str(sizes));
  }
  return n;
}

constexpr int64_t kMostDimensions = 64;
void check_dimensions(int64_t n) {
  check(n <= kMostDimensions, "a tensor has at most ", kMostDimensions, " dimensions, got ", n);
}

int64_t checked_numel(IntSpan sizes) {
  int64_t n = 1;
  bool overflow = false;
  for (int64_t s : sizes) overflow |= __builtin_mul_overflow(n, s, &n);
  if (overflow) [[unlikely]] {
    if (std::ranges::find(sizes, 0) != sizes.end()) return 0;
    fail(ErrorKind::Runtime, "numel: integer multiplication overflow: no tensor has as many elements as the sizes ",
         shape_str(sizes), " make");
  }
  return n;
}
}  // namespace

Ref<TensorImpl> TensorImpl::make(Ref<Storage> storage, int64_t offset, IntSpan sizes, IntSpan strides, DType dtype) {
  Ref<TensorImpl> t(new (rl::allocate(sizeof(TensorImpl))) TensorImpl);
  t->storage_ = std::move(storage);
  t->offset_ = offset;
  t->dtype_ = dtype;
  t->set_geometry(sizes, strides);
  return t;
}

Ref<TensorImpl> TensorImpl::make_contiguous(IntSpan sizes, DType dtype) {
  if (Destination::is_offered()) [[unlikely]]
    if (Ref<TensorImpl> there = Destination::for_fresh(sizes, dtype)) return there;
  int64_t n = static_cast<int64_t>(sizes.size());
  check_dimensions(n);
  int64_t many[2 * kMostDimensions];
  int64_t* strides = many + n;
  int64_t step = 1, numel = 1;
  for (int64_t i = n - 1; i >= 0; --i) {
    int64_t s = sizes[i];
    if (s < 0) fail(ErrorKind::Runtime, "Trying to create tensor with negative dimension ", s, ": ", shape_str(sizes));
    many[i] = s;
    strides[i] = step;
    if (__builtin_mul_overflow(step, std::max<int64_t>(s, 1), &step))
      fail(ErrorKind::Runtime, "Storage size calculation overflowed with sizes=", shape_str(sizes));
    numel *= s;
  }
  Ref<Storage> storage = Storage::allocate(numel == 0 ? 0 : bytes_for(sizes, dtype));
  if (n > kInlineDims) return make(std::move(storage), 0, sizes, {strides, sizes.size()}, dtype);
  Ref<TensorImpl> t(new (rl::allocate(sizeof(TensorImpl))) TensorImpl);
  t->storage_ = std::move(storage);
  t->dtype_ = dtype;
  t->dim_ = static_cast<uint8_t>(n);
  t->numel_ = numel;
  for (int64_t i = 0; i < 2 * n; ++i) t->inline_[i] = many[i];
  return t;
}

void TensorImpl::set(Ref<Storage> storage, int64_t offset, IntSpan sizes, IntSpan strides, DType dtype) {
  set_geometry(sizes, strides);  // first: it may refuse them
  storage_ = std::move(storage);
  offset_ = offset;
  dtype_ = dtype;
}

void TensorImpl::set_geometry(IntSpan sizes, IntSpan strides) {
  const int64_t numel = checked_numel(sizes);
  int64_t* where = inline_;
  int64_t n = static_cast<int64_t>(sizes.size());
  check_dimensions(n);
  // sizes/strides may be this tensor's own: copy out before the old block goes.
  int64_t* old = sizes_;
  size_t old_bytes = sizeof(int64_t) * 2 * dim_;
  if (n > kInlineDims) {
    where = static_cast<int64_t*>(rl::allocate(sizeof(int64_t) * 2 * static_cast<size_t>(n)));
    std::copy_n(sizes.data(), n, where);
    std::copy_n(strides.data(), n, where + n);
  } else {
    int64_t copy[2 * kInlineDims];
    for (int64_t i = 0; i < n; ++i) copy[i] = sizes[i], copy[n + i] = strides[i];
    for (int64_t i = 0; i < 2 * n; ++i) inline_[i] = copy[i];
  }
  sizes_ = where;
  if (old != inline_) deallocate(old, old_bytes);
  dim_ = static_cast<uint8_t>(n);
  uint64_t expected = 1;  // may wrap around where another size is 0
  bool contiguous = true;
  for (int64_t i = n - 1; i >= 0; --i) {
    int64_t s = where[i];
    if (s != 1) {
      contiguous &= static_cast<uint64_t>(where[n + i]) == expected;
      expected *= static_cast<uint64_t>(s);
    }
  }
  numel_ = numel;
  contiguous_ = contiguous || numel == 0;
}

void TensorImpl::detach_version() { own_version_ = std::make_shared<uint32_t>(0); }

TensorImpl::~TensorImpl() {
  if (sizes_ != inline_) deallocate(sizes_, sizeof(int64_t) * 2 * dim_);
}

void TensorImpl::destroy() {
  if (owns_pyobj && pyobj && drop_pyobj) {
    // The Python object dies with us; it may not resurrect us.
    void* object = pyobj;
    pyobj = nullptr;
    owns_pyobj = false;
    drop_pyobj(object);
  }
  this->~TensorImpl();
  deallocate(this, sizeof(TensorImpl));
}

Tensor Tensor::empty_strided(IntSpan sizes, IntSpan strides, DType dtype) {
  int64_t bytes = item_size(dtype);  // up to the end of the last element
  bool overflow = false, empty = false;
  for (size_t i = 0; i < sizes.size(); ++i) {
    empty |= sizes[i] == 0;
    int64_t step;
    overflow |= __builtin_mul_overflow(sizes[i] - 1, strides[i], &step) ||
                __builtin_mul_overflow(step, int64_t{item_size(dtype)}, &step) ||
                __builtin_add_overflow(bytes, step, &bytes);
  }
  if (overflow && !empty)
    fail(ErrorKind::Runtime, "Storage size calculation overflowed with sizes=", shape_str(sizes),
         " and strides=", shape_str(strides));
  return Tensor(TensorImpl::make(Storage::allocate(empty ? 0 : static_cast<size_t>(bytes)), 0, sizes, strides, dtype));
}

Tensor Tensor::empty_like(const Tensor& like, DType dtype) {
  if (like.is_contiguous()) return empty(like.sizes(), dtype);
  return empty_strided(like.sizes(), dense_strides_like(like.sizes(), like.strides()), dtype);
}

Tensor Tensor::scalar(const Scalar& value, DType dtype) {
  Tensor t = empty({}, dtype);
  value.store(dtype, t.raw());
  return t;
}

Tensor Tensor::wrapped(const Scalar& value) {
  DType dtype = value.is_bool()       ? DType::Bool
                : value.is_integral() ? DType::I64
                : value.is_float()    ? DType::F64
                                      : DType::C128;
  Tensor t = scalar(value, dtype);
  t->wrapped_number = true;
  return t;
}

Scalar Tensor::item() const {
  check(numel() == 1, "a Tensor with ", numel(),
        " elements cannot be converted to Scalar; index one element (t[i]) or reduce it (t.sum(), t.mean()) first");
  check(!is_meta(*this) || in_meta_scope(), "Tensor.item() cannot be called on meta tensors");
  return Scalar::load(dtype(), raw());
}

Tensor Tensor::alias(IntSpan sizes, IntSpan strides, int64_t offset) const {
  return Tensor(TensorImpl::make(impl_->storage_ref(), offset, sizes, strides, dtype()));
}

// In the order of DeviceType.
static constexpr std::string_view kDeviceNames[] = {"cpu", "cuda", "meta", "mps", "xpu"};

std::string Device::str() const {
  std::string s(kDeviceNames[static_cast<int>(type)]);
  return index >= 0 ? s + ":" + std::to_string(index) : s;
}

Device Device::parse(const std::string& text) {
  size_t colon = text.find(':');
  auto kind = std::ranges::find(kDeviceNames, std::string_view(text).substr(0, colon));
  if (kind == std::end(kDeviceNames))
    fail(ErrorKind::Runtime, "Expected one of cpu, cuda, xpu, mps, meta device type at start of device string: ", text);
  Device d;
  d.type = static_cast<DeviceType>(kind - std::begin(kDeviceNames));
  if (colon != std::string::npos) {
    std::string number = text.substr(colon + 1);
    bool digits = !number.empty() && number.size() <= 3 &&
                  std::all_of(number.begin(), number.end(), [](unsigned char c) { return std::isdigit(c); });
    if (!digits || std::stoi(number) > 127) fail(ErrorKind::Runtime, "Invalid device string: '", text, "'");
    d.index = static_cast<int8_t>(std::stoi(number));
  }
  return d;
}

}  // namespace rl
