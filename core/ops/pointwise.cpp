#include "ops/pointwise.h"

#include <algorithm>
#include <cstring>
#include <memory>

#include "kernels/copy.h"
#include "kernels/stream.h"
#include "ops/basic.h"
#include "ops/creation.h"
#include "ops/gradient.h"
#include "runtime/meta.h"
#include "runtime/parallel.h"
#include "tensor/destination.h"
#include "tensor/shape.h"

namespace rl {
namespace {

using cpu::PointwiseLoop;
using pointwise::Rule;

constexpr int kMaxInputs = 8;
constexpr int64_t kBlock = 1024;
constexpr int64_t kGrain = 8192;

// --- types -----------------------------------------------------------------------------------------------------------

// Promotion as in PyTorch: tensors with dimensions first, then 0-d tensors, then Python numbers; a lower kind matters
// only where its category (bool < int < float < complex) is higher.
int category(DType d) { return is_complex_dtype(d) ? 3 : is_floating(d) ? 2 : d == DType::Bool ? 0 : 1; }

}  // namespace

DType result_type(std::span<const Tensor> inputs, std::span<const Scalar> scalars) {
  bool have[3] = {};
  DType best[3] = {};
  auto take = [&](int kind, DType d) {
    best[kind] = have[kind] ? promote(best[kind], d) : d;
    have[kind] = true;
  };
  for (const Tensor& t : inputs) {
    if (!t.defined()) continue;
    DType d = t.dtype();
    if (t->wrapped_number) {
      if (d == DType::F64) d = default_dtype();
      if (d == DType::C128) d = default_complex();
    }
    take(t->wrapped_number ? 2 : t.dim() == 0 ? 1 : 0, d);
  }
  for (const Scalar& s : scalars)
    take(2, s.is_bool()       ? DType::Bool
            : s.is_integral() ? DType::I64
            : s.is_float()    ? default_dtype()
                              : default_complex());
  DType result = DType::Bool;
  bool any = false;
  for (int kind = 0; kind < 3; ++kind) {
    if (!have[kind]) continue;
    if (!any) {
      result = best[kind];
      any = true;
    } else if (category(best[kind]) > category(result)) {
      // A complex number, or 0-d tensor, takes the width of the real result it meets.
      result = category(best[kind]) == 3 && category(result) == 2 ? complex_of(result) : promote(result, best[kind]);
    }
  }
  return result;
}

namespace {

// The two parts of a complex tensor.
void check_parts(DType a, DType b) {
  check(is_floating(a) && is_floating(b), "Expected both inputs to be Half, Float or Double tensors but got ",
        scalar_type_name(a), " and ", scalar_type_name(b));
  check(a == b, "Expected object of scalar type ", scalar_type_name(a), " but got scalar type ", scalar_type_name(b),
        " for second argument");
}

DType compute_dtype(const PointwiseDef& def, const Tensor* inputs, const Scalar* scalars) {
  int first = def.rule == Rule::Select ? 1 : 0;
  DType d = inputs[first].dtype();
  bool same = !inputs[first]->wrapped_number;
  if (def.rule == Rule::ComplexOfReal && def.tensors == 2) check_parts(inputs[0].dtype(), inputs[1].dtype());
  for (int i = first + 1; i < def.tensors; ++i) same &= inputs[i].dtype() == d && !inputs[i]->wrapped_number;
  if (!same) d = result_type({inputs + first, static_cast<size_t>(def.tensors - first)}, {});
  if (def.scalars_promote)
    for (int i = 0; i < def.scalars; ++i) {
      const Scalar& s = scalars[i];
      if ((s.is_bool() ? 0 : s.is_integral() ? 1 : s.is_float() ? 2 : 3) <= category(d)) continue;
      const Tensor probe = Tensor::empty(Dims{1}, d);
      d = result_type({&probe, 1}, {scalars + i, 1});
    }
  // angle has no integer form, and bool to the second power is an integer, as for pow.
  bool floats_only = def.rule == Rule::Float || (def.rule == Rule::RealOfComplex && !(def.types & pointwise::kInts));
  if (floats_only && is_integral(d)) d = default_dtype();
  if (d == DType::Bool && std::string_view(def.name) == "square") d = DType::I64;
  return d;
}

unsigned type_class(DType d) {
  if (d == DType::Bool) return pointwise::kBool;
  if (d == DType::U8) return pointwise::kUnsigned;
  if (is_integral(d)) return pointwise::kSigned;
  return is_complex_dtype(d) ? pointwise::kComplex : pointwise::kFloating;
}

[[noreturn]] void refuse_bool(const Tensor* inputs, int count) {
  bool all = true;
  for (int i = 0; i < count; ++i) all &= inputs[i].dtype() == DType::Bool;
  if (all)
    fail(
        ErrorKind::Runtime,
        "Subtraction, the `-` operator, with two bool tensors is not supported. Use the `^` or `logical_xor()` operator instead.");
  fail(
      ErrorKind::Runtime,
      "Subtraction, the `-` operator, with a bool tensor is not supported. If you are trying to invert a mask, use the `~` or `logical_not()` operator instead.");
}

[[noreturn]] void not_implemented(const PointwiseDef& def, DType d) {
  if (d == DType::Bool) {
    std::string_view name = def.name;
    check(
        name != "neg",
        "Negation, the `-` operator, on a bool tensor is not supported. If you are trying to invert a mask, use the `~` or `logical_not()` operator instead.");
    check(name != "relu", "Boolean inputs not supported for relu");
  }
  fail(ErrorKind::NotImplemented, "\"", def.name, "\" not implemented for '", scalar_type_name(d), "'");
}

// What PyTorch refuses before it looks for a loop.
void check_operands(const PointwiseDef& def, const Tensor* inputs, const Scalar* scalars, DType compute) {
  if (def.refuses_bool)
    for (int i = 0; i < def.tensors; ++i)
      if (inputs[i].dtype() == DType::Bool) refuse_bool(inputs, def.tensors);
  if (def.has_alpha) {
    const Scalar& alpha = scalars[0];
    check(!alpha.is_bool() || compute == DType::Bool, "Boolean alpha only supported for Boolean results.");
    check(!is_integral(compute) || alpha.is_integral(),
          "For integral input tensors, argument alpha must not be a floating point number.");
    check(is_complex_dtype(compute) || !alpha.is_complex(),
          "For non-complex input tensors, argument alpha must not be a complex number.");
  }
  if (is_integral(compute))
    for (int i = 0; i < def.scalars; ++i) check_fits(scalars[i], compute);
}

// Half and bfloat16 run through the float loop.
DType loop_dtype(DType d) { return d == DType::F16 || d == DType::BF16 ? DType::F32 : d; }

// --- iteration -------------------------------------------------------------------------------------------------------

struct Operand {
  char* data;
  DType dtype;
  DType load;       // the type that the loop reads (or writes)
  bool dense;       // contiguous over the whole iteration
  bool contiguous;  // and dtype == load
  Dims strides;     // in elements
};

// An operand that is walked as it lies, converted on the way where dtype != load; or one number for all elements.
struct Lane {
  char* data;
  DType dtype, load;
  bool number;
  bool converted() const { return dtype != load && data && !number; }
};
using Lanes = SmallVector<Lane, kMaxInputs>;

// Memory that is updated in place and lies beyond the caches arrives sooner when asked for ahead. Within the caches, and
// with a second stream, asking costs more than it gains.
constexpr int64_t kAheadBytes = int64_t{16} << 10;
constexpr int64_t kAheadPiece = 1024;

// How memory beyond the caches is walked.
enum class Walk { Near, InPlace, Stream };

Walk walk_of(const Lanes& lanes, int64_t n) {
  if (n * item_size(lanes[0].dtype) < kFarBytes) return Walk::Near;
  bool same = false, other = false;
  for (int64_t i = 1; i < lanes.size(); ++i) {
    if (!lanes[i].data || lanes[i].number) continue;
    (lanes[i].data == lanes[0].data ? same : other) = true;
  }
  return !same ? Walk::Stream : other ? Walk::Near : Walk::InPlace;
}

// Elements [begin, end), in pieces no longer than what numbers are spread out to.
void run_pieces(PointwiseLoop loop, const Lanes& lanes, const char* scalars, int64_t begin, int64_t end, Walk walk) {
  alignas(64) char spread[kMaxInputs][kBlock * 16];
  const char* in[kMaxInputs];
  const cpu::CopyTable& copies = cpu::copy();
  const int64_t item = item_size(lanes[0].dtype);
  // What is converted on the way is in several loops, whose beginnings and ends count: longer pieces, and the result in
  // the place of an input.
  bool converts = false, wide = false;
  char* result = spread[kMaxInputs - 1];
  for (int64_t i = 0; i < lanes.size(); ++i) {
    converts |= lanes[i].converted();
    wide |= item_size(lanes[i].load) > 8;
    if (i > 0 && lanes[i].converted() && item_size(lanes[i].load) == item_size(lanes[0].load)) result = spread[i - 1];
  }
  const int64_t most = converts && !wide ? 2 * kBlock : kBlock;
  const int64_t piece = walk == Walk::InPlace  ? kAheadPiece / item
                        : walk == Walk::Stream ? std::min(most, Stream::kPiece / item)
                                               : std::min(most, end - begin);
  Ahead ahead[kMaxInputs];
  int count = 0;
  for (int64_t i = 1; i < lanes.size(); ++i) {
    in[i - 1] = lanes[i].number ? spread[i - 1] : nullptr;
    if (lanes[i].number)
      copies.convert_block(spread[i - 1], lanes[i].load, lanes[i].data, lanes[i].dtype, 0, piece);
    else if (lanes[i].data)
      ahead[count++].per_line = 64 * item_size(lanes[i].dtype) / item;
  }
  std::unique_ptr<Stream> stream;  // an optional would be cleared, all its 16 kB, at every call
  if (walk == Walk::Stream) stream = std::make_unique<Stream>(lanes[0].data + begin * item);
  for (int64_t from = begin; from < end; from += piece) {
    const int64_t length = std::min(piece, end - from);
    count = 0;
    for (int64_t i = 1; i < lanes.size(); ++i) {
      if (!lanes[i].data || lanes[i].number) continue;
      in[i - 1] = lanes[i].data + from * item_size(lanes[i].dtype);
      ahead[count++].from = in[i - 1] + piece * item_size(lanes[i].dtype);
      if (!lanes[i].converted()) continue;
      copies.convert_block(spread[i - 1], lanes[i].load, in[i - 1], lanes[i].dtype, 1, length);
      in[i - 1] = spread[i - 1];
    }
    auto run = [&](char* to) {
      if (!lanes[0].converted()) return loop(to, in, scalars, length);
      loop(result, in, scalars, length);
      copies.convert_block(to, lanes[0].dtype, result, lanes[0].load, 1, length);
    };
    if (stream) {
      run(stream->room());
      stream->put(length * item, ahead, count);
      continue;
    }
    if (const int64_t next = from + kAheadBytes / item; walk == Walk::InPlace && next + piece <= end)
      for (int64_t byte = 0; byte < kAheadPiece; byte += 64) __builtin_prefetch(lanes[0].data + next * item + byte);
    run(lanes[0].data + from * item);
  }
}

// Runs loop over n elements. lanes[0] is the output, and no number.
void sweep(PointwiseLoop loop, const Lanes& lanes, int64_t n, const char* scalars) {
  const Walk walk = walk_of(lanes, n);
  bool by_pieces = false;
  for (const Lane& lane : lanes) by_pieces |= lane.number || lane.converted();
  if (by_pieces || walk != Walk::Near) {
    parallel_for_light(n, kGrain,
                       [&](int64_t begin, int64_t end) { run_pieces(loop, lanes, scalars, begin, end, walk); });
    return;
  }
  parallel_for_light(n, kGrain, [&](int64_t begin, int64_t end) {
    const char* in[kMaxInputs];
    for (int64_t i = 1; i < lanes.size(); ++i)
      in[i - 1] = lanes[i].data ? lanes[i].data + begin * item_size(lanes[i].load) : nullptr;
    loop(lanes[0].data + begin * item_size(lanes[0].load), in, scalars, end - begin);
  });
}

// Runs loop over `sizes`. operands[0] is the output.
void iterate(PointwiseLoop loop, SmallVector<Operand, kMaxInputs>& operands, Dims sizes, const char* scalars) {
  int64_t n = 1;
  for (int64_t s : sizes) n *= s;
  if (n == 0) return;
  int count = static_cast<int>(operands.size());
  Lanes lanes;
  for (const Operand& o : operands) {
    bool number = o.data && !o.dense;
    for (int64_t d = 0; d < sizes.size(); ++d) number &= o.strides[d] == 0 || sizes[d] == 1;
    if (o.data && !o.dense && (!number || lanes.empty())) break;
    lanes.push_back({o.data, o.dtype, o.load, number});
  }
  if (lanes.size() == operands.size()) return sweep(loop, lanes, n, scalars);

  // Merge neighbouring axes that every operand walks as one.
  for (int64_t d = sizes.size() - 2; d >= 0; --d) {
    bool merge = sizes[d] == 1 || sizes[d + 1] == 1;
    if (!merge) {
      merge = true;
      for (Operand& o : operands) merge &= o.strides[d] == o.strides[d + 1] * sizes[d + 1];
    }
    if (!merge) continue;
    for (Operand& o : operands) {
      if (sizes[d + 1] == 1) o.strides[d + 1] = o.strides[d];
      o.strides.erase(d);
    }
    sizes[d + 1] *= sizes[d];
    sizes.erase(d);
  }
  int64_t dims = sizes.size();
  int64_t inner = dims ? sizes.back() : 1;
  int64_t rows = n / inner;

  // Blocks of up to kBlock elements: whole short rows, or pieces of one long row. An operand that is not laid out as
  // the loop wants goes through a buffer that stays in the first-level cache.
  bool long_rows = inner >= 256;
  int64_t rows_per_block = long_rows ? 1 : std::max<int64_t>(1, kBlock / inner);
  int64_t pieces = long_rows ? (inner + kBlock - 1) / kBlock : 1;
  int64_t blocks = long_rows ? rows * pieces : (rows + rows_per_block - 1) / rows_per_block;

  // A result beyond the caches that lies in the order of the blocks.
  auto in_order = [&](const Operand& o) {
    for (int64_t d = dims - 1, step = 1; d >= 0; step *= sizes[d--])
      if (sizes[d] != 1 && o.strides[d] != step) return false;
    return true;
  };
  const int64_t y_item = item_size(operands[0].dtype);
  bool streams = n * y_item >= kFarBytes && in_order(operands[0]);
  bool follows[kMaxInputs] = {};
  for (int i = 1; i < count; ++i) {
    streams &= operands[i].data != operands[0].data;
    follows[i] = streams && operands[i].data && in_order(operands[i]);
  }

  // Rows that every operand has as the loop wants them need no blocks.
  bool plain_rows = dims == 2 && !streams && inner >= 64 && (n < kGrain || rows >= 16);
  for (const Operand& o : operands) plain_rows &= !o.data || (o.dtype == o.load && o.strides[1] == 1);
  if (plain_rows) {
    parallel_for_light(rows, std::max<int64_t>(1, kGrain / inner), [&](int64_t first, int64_t last) {
      const char* at[kMaxInputs];
      int64_t step[kMaxInputs];
      for (int i = 0; i < count; ++i) {
        step[i] = operands[i].data ? operands[i].strides[0] * item_size(operands[i].dtype) : 0;
        at[i] = operands[i].data ? operands[i].data + first * step[i] : nullptr;
      }
      for (int64_t row = first; row < last; ++row) {
        loop(const_cast<char*>(at[0]), at + 1, scalars, inner);
        for (int i = 0; i < count; ++i) at[i] += step[i];
      }
    });
    return;
  }

  auto run = [&](int64_t first, int64_t last) {
    alignas(64) char scratch[kMaxInputs][kBlock * 16];
    int64_t splat_filled[kMaxInputs] = {};
    std::unique_ptr<Stream> stream;  // an optional would be cleared, all its 16 kB, at every call
    for (int64_t block = first; block < last; ++block) {
      int64_t row = long_rows ? block / pieces : block * rows_per_block;
      int64_t column = long_rows ? (block % pieces) * kBlock : 0;
      int64_t row_count = long_rows ? 1 : std::min(rows_per_block, rows - row);
      int64_t width = long_rows ? std::min(kBlock, inner - column) : inner;
      int64_t length = row_count * width;
      const char* in[kMaxInputs];
      char* out = nullptr;
      Ahead ahead[kMaxInputs];
      int asked = 0;
      if (streams && !stream) stream = std::make_unique<Stream>(operands[0].data + (row * inner + column) * y_item);
      for (int i = 0; i < count; ++i) {
        Operand& o = operands[i];
        if (!o.data) {
          in[i - 1] = nullptr;
          continue;
        }
        int64_t item = item_size(o.dtype);
        if (follows[i]) ahead[asked++] = {o.data + (row * inner + column + length) * item, 64 * item / y_item};
        int64_t inner_stride = dims ? o.strides[dims - 1] : 0;
        auto row_offset = [&](int64_t r) {
          int64_t offset = column * inner_stride;
          for (int64_t d = dims - 2; d >= 0; --d) {
            offset += (r % sizes[d]) * o.strides[d];
            r /= sizes[d];
          }
          return offset;
        };
        bool direct = o.dtype == o.load && (o.contiguous || (inner_stride == 1 && row_count == 1));
        if (direct) {
          char* p = o.data + (o.contiguous ? row * inner + column : row_offset(row)) * item;
          if (i == 0)
            out = stream ? stream->room() : p;
          else
            in[i - 1] = p;
          continue;
        }
        char* buffer = scratch[i];
        if (i == 0) {
          out = buffer;
          continue;
        }
        in[i - 1] = buffer;
        bool splat = true;
        for (int64_t d = 0; d < dims; ++d) splat &= o.strides[d] == 0;
        if (splat && splat_filled[i] >= length) continue;
        if (splat) splat_filled[i] = length;
        for (int64_t r = 0; r < row_count; ++r)
          cpu::copy().convert_block(buffer + r * width * item_size(o.load), o.load, o.data + row_offset(row + r) * item,
                                    o.dtype, inner_stride, width);
      }
      loop(out, in, scalars, length);
      Operand& o = operands[0];
      if (stream) {
        if (out == scratch[0]) cpu::copy().convert_block(stream->room(), o.dtype, out, o.load, 1, length);
        stream->put(length * y_item, ahead, asked);
      } else if (out == scratch[0]) {
        int64_t inner_stride = dims ? o.strides[dims - 1] : 1;
        for (int64_t r = 0; r < row_count; ++r) {
          int64_t offset = column * inner_stride;
          for (int64_t d = dims - 2, rest = row + r; d >= 0; --d) {
            offset += (rest % sizes[d]) * o.strides[d];
            rest /= sizes[d];
          }
          char* from = out + r * width * item_size(o.load);
          char* to = o.data + offset * item_size(o.dtype);
          if (inner_stride == 1 || width == 1) {
            cpu::copy().convert_block(to, o.dtype, from, o.load, 1, width);
          } else {
            if (o.dtype != o.load)
              cpu::copy().convert_block(scratch[kMaxInputs - 1], o.dtype, from, o.load, 1, width),
                  from = scratch[kMaxInputs - 1];
            cpu::copy().scatter_block(to, inner_stride, from, item_size(o.dtype), width);
          }
        }
      }
    }
  };
  int64_t per_block = n / blocks + 1;
  parallel_for_light(blocks, std::max<int64_t>(1, kGrain / per_block), run);
}

void fill_scalars(char* where, const Scalar* scalars, int count, DType dtype) {
  for (int i = 0; i < count; ++i, where += cpu::kScalarSlot) {
    if (dtype == DType::F32) [[likely]]
      *reinterpret_cast<float*>(where) = scalars[i].to<float>();
    else
      scalars[i].store(dtype, where);
  }
}

Operand operand(const Tensor& t, DType load, IntSpan shape, bool same_shape) {
  Operand o{static_cast<char*>(t.raw()), t.dtype(), load, same_shape && t.is_contiguous(), false, {}};
  o.contiguous = o.dense && t.dtype() == load;
  o.strides = broadcast_strides(t.sizes(), t.strides(), shape);
  return o;
}

bool same_sizes(IntSpan a, IntSpan b) {
  if (a.size() != b.size()) return false;
  for (size_t d = 0; d < a.size(); ++d)
    if (a[d] != b[d]) return false;
  return true;
}

// Axes in the memory order of a transposed (dense, not contiguous) operand, so that it is walked as it lies.
void reorder_axes(SmallVector<Operand, kMaxInputs>& operands, Dims& sizes) {
  const Operand* guide = nullptr;
  for (const Operand& o : operands)
    if (o.data && !o.dense && (!guide || guide == &operands[0])) {
      bool broadcast = false;
      for (int64_t d = 0; d < sizes.size(); ++d) broadcast |= o.strides[d] == 0 && sizes[d] > 1;
      if (!broadcast) guide = &o;
    }
  if (!guide || sizes.size() < 2) return;
  Dims order(sizes.size(), 0);
  for (int64_t i = 0; i < order.size(); ++i) order[i] = i;
  const Dims key = operands[0].strides;
  std::stable_sort(order.begin(), order.end(), [&](int64_t a, int64_t b) { return key[a] > key[b]; });
  if (std::is_sorted(order.begin(), order.end())) return;
  Dims old_sizes = sizes;
  for (int64_t d = 0; d < order.size(); ++d) sizes[d] = old_sizes[order[d]];
  for (Operand& o : operands) {
    if (!o.data) continue;
    Dims old = o.strides;
    for (int64_t d = 0; d < order.size(); ++d) o.strides[d] = old[order[d]];
    o.dense = o.contiguous = false;
  }
}

// A transposed operand of middling size is turned around first, in tiles: walking it along the result's rows takes one
// element of every cache line.
Tensor turned(Operand& o, const Dims& sizes, int64_t n) {
  constexpr int64_t kLeast = 4096, kMost = int64_t{1} << 20;
  int64_t dims = sizes.size();
  if (!o.data || o.dense || n < kLeast || n > kMost || dims < 2) return Tensor();
  int64_t least = o.strides[dims - 1];
  for (int64_t d = 0; d < dims; ++d) {
    if (sizes[d] > 1 && o.strides[d] <= 0) return Tensor();
    if (sizes[d] >= 16) least = std::min(least, o.strides[d]);
  }
  if (o.strides[dims - 1] <= 8 || least != 1) return Tensor();
  Tensor t = Tensor::empty(sizes, o.load);
  cpu::copy().copy_strided(t.raw(), o.load, t.strides().data(), o.data, o.dtype, o.strides.data(), sizes.data(),
                           static_cast<int>(dims));
  o = Operand{static_cast<char*>(t.raw()), o.load, o.load, true, true, Dims(t.strides())};
  return t;
}

// Contiguous in its strides too: those of axes with one element, which mean nothing else, decide between layouts.
bool packed(const Tensor& t) {
  int64_t step = 1;
  for (int64_t d = t.dim() - 1; d >= 0; --d) {
    if (t.strides()[d] != step) return false;
    step *= t.sizes()[d];
  }
  return true;
}

// The result's layout. Axes are ordered, from the fastest, by the first operand that tells two of them apart: one that
// repeats along an axis has no say about it.
Tensor allocate_result(const Tensor* inputs, int count, IntSpan shape, DType dtype, bool all_packed) {
  int64_t dims = static_cast<int64_t>(shape.size());
  if (all_packed || dims < 2) return Tensor::empty(shape, dtype);
  SmallVector<Dims, 4> strides;
  for (int i = 0; i < count; ++i)
    if (inputs[i].defined()) strides.push_back(broadcast_strides(inputs[i].sizes(), inputs[i].strides(), shape));
  auto compare = [&](int64_t a, int64_t b) {
    for (const Dims& s : strides) {
      if (s[a] == 0 || s[b] == 0) continue;
      if (s[a] != s[b]) return s[a] < s[b] ? -1 : 1;
      if (shape[a] > shape[b]) return 1;
    }
    return 0;
  };
  Dims order(dims, 0);
  for (int64_t i = 0; i < dims; ++i) order[i] = dims - 1 - i;
  // By insertion, as the comparison may leave pairs open.
  for (int64_t i = 1; i < dims; ++i)
    for (int64_t at = i, before = i - 1; before >= 0; --before) {
      int c = compare(order[before], order[at]);
      if (c < 0) break;
      if (c == 0) continue;
      std::swap(order[before], order[at]);
      at = before;
    }
  Dims result(dims, 1);
  int64_t step = 1;
  for (int64_t d : order) {
    result[d] = step;
    step *= std::max<int64_t>(shape[d], 1);
  }
  return Tensor::empty_strided(shape, result, dtype);
}

// Copies t, broadcast to shape, into `to`: for small results, where planning an iteration costs more than the work.
template <class Bits>
void spread(const Tensor& t, IntSpan shape, char* to) {
  const Bits* from = static_cast<const Bits*>(t.raw());
  Bits* out = reinterpret_cast<Bits*>(to);
  int64_t dims = static_cast<int64_t>(shape.size()), skip = dims - t.dim();
  int64_t stride[8], index[8] = {};
  for (int64_t d = 0; d < dims; ++d)
    stride[d] = d < skip || t.sizes()[d - skip] != shape[d] ? 0 : t.strides()[d - skip];
  int64_t inner = dims ? shape[dims - 1] : 1, step = dims ? stride[dims - 1] : 0;
  int64_t rows = product(shape) / std::max<int64_t>(inner, 1);
  for (int64_t row = 0; row < rows; ++row) {
    for (int64_t i = 0; i < inner; ++i) *out++ = from[i * step];
    for (int64_t d = dims - 2; d >= 0; --d) {
      from += stride[d];
      if (++index[d] < shape[d]) break;
      from -= stride[d] * shape[d];
      index[d] = 0;
    }
  }
}

void spread_any(const Tensor& t, IntSpan shape, char* to) {
  switch (item_size(t.dtype())) {
    case 1: return spread<uint8_t>(t, shape, to);
    case 2: return spread<uint16_t>(t, shape, to);
    case 4: return spread<uint32_t>(t, shape, to);
    case 8: return spread<uint64_t>(t, shape, to);
    default: return spread<Complex128>(t, shape, to);
  }
}

constexpr int64_t kSmall = 256;

bool shares_storage(const Tensor& out, const Tensor* inputs, int count) {
  for (int i = 0; i < count; ++i)
    if (inputs[i].defined() && &inputs[i]->storage() == &out->storage()) return true;
  return false;
}

// True if everything fits one call of the loop with broadcast operands spread out on the stack.
bool run_small(PointwiseLoop loop, const Tensor* inputs, int count, DType loads, DType first_load, IntSpan shape,
               const char* scalars, const Tensor& y) {
  int64_t n = y.numel();
  if (n > kSmall || shape.size() > 8 || !y.is_contiguous()) return false;
  alignas(64) char scratch[4][kSmall * 16];
  const char* in[kMaxInputs];
  int used = 0;
  for (int i = 0; i < count; ++i) {
    const Tensor& t = inputs[i];
    in[i] = nullptr;
    if (!t.defined()) continue;
    DType wanted = i == 0 ? first_load : loads;
    if (t.dtype() != wanted) {
      // A number: converted once, then repeated.
      if (t.numel() != 1 || used == 4) return false;
      Tensor one = Tensor::empty({}, wanted);
      t.item().store(wanted, one.raw());
      spread_any(one, shape, scratch[used]);
      in[i] = scratch[used++];
      continue;
    }
    if (t.is_contiguous() && t.numel() == n) {
      in[i] = static_cast<const char*>(t.raw());
      continue;
    }
    if (used == 4) return false;
    char* to = scratch[used++];
    spread_any(t, shape, to);
    in[i] = to;
  }
  if (n > 0) loop(static_cast<char*>(y.raw()), in, scalars, n);
  return true;
}

// The common part of forward and backward: broadcast, choose the loop's operands, run.
Tensor run_loop(PointwiseLoop loop, const Tensor* inputs, int count, DType loads, DType first_load, DType y_load,
                DType result, const char* scalars, const Tensor& out) {
  // Everything contiguous and of one shape: straight in.
  const Tensor* lead = nullptr;
  bool plain = true;
  for (int i = 0; i < count; ++i) {
    const Tensor& t = inputs[i];
    if (!t.defined()) continue;
    if (!lead) lead = &t;
    plain &= t.is_contiguous() && (lead == &t || same_sizes(lead->sizes(), t.sizes()));
    if (out.defined()) plain &= &t->storage() != &out->storage() || (t.raw() == out.raw() && t.dtype() == out.dtype());
  }
  if (plain && (!out.defined() || (out.is_contiguous() && same_sizes(out.sizes(), lead->sizes())))) {
    Tensor y = out.defined() ? out : Tensor::empty(lead->sizes(), result);
    int64_t n = lead->numel();
    Lanes lanes;
    lanes.push_back({static_cast<char*>(y.raw()), y.dtype(), y_load, false});
    for (int i = 0; i < count; ++i) {
      const Tensor& t = inputs[i];
      const DType load = i == 0 ? first_load : loads;
      lanes.push_back(
          {t.defined() ? static_cast<char*>(t.raw()) : nullptr, t.defined() ? t.dtype() : load, load, false});
    }
    sweep(loop, lanes, n, scalars);
    return y;
  }

  Dims shape;
  bool first = true, all_packed = true;
  for (int i = 0; i < count; ++i) {
    if (!inputs[i].defined()) continue;
    shape = first ? Dims(inputs[i].sizes()) : broadcast_shapes(shape, inputs[i].sizes());
    first = false;
    all_packed &= packed(inputs[i]);
  }
  Tensor y = out.defined() ? out : allocate_result(inputs, count, shape, result, all_packed);
  if (out.defined() && !same_sizes(out.sizes(), shape))
    fail(ErrorKind::Runtime, "output with shape ", shape_str(out.sizes()), " doesn't match the broadcast shape ",
         shape_str(shape));
  if ((!out.defined() || !shares_storage(out, inputs, count)) && y.dtype() == y_load &&
      run_small(loop, inputs, count, loads, first_load, shape, scalars, y))
    return y;
  SmallVector<Operand, kMaxInputs> operands;
  operands.push_back(operand(y, y_load, shape, true));
  bool overlaps = false;
  for (int i = 0; i < count; ++i) {
    const Tensor& t = inputs[i];
    if (!t.defined()) {
      operands.push_back(Operand{nullptr, DType::F32, DType::F32, true, true, Dims(shape.size(), 0)});
      continue;
    }
    operands.push_back(operand(t, i == 0 ? first_load : loads, shape, same_sizes(t.sizes(), shape)));
    // Writing into memory that is read elsewhere (x[1:] += x[:-1]) needs a copy of the source.
    if (out.defined() && &t.get()->storage() == &out.get()->storage()) {
      bool exact = t.raw() == out.raw() && t.dtype() == out.dtype() && same_sizes(t.sizes(), out.sizes()) &&
                   std::equal(t.strides().begin(), t.strides().end(), out.strides().begin());
      overlaps |= !exact;
    }
  }
  if (overlaps) {
    Tensor fresh = run_loop(loop, inputs, count, loads, first_load, y_load, result, scalars, Tensor());
    copy_data(out, fresh);
    return out;
  }
  reorder_axes(operands, shape);
  Tensor held[kMaxInputs + 1];
  if (int64_t n = y.numel(); n >= 4096)
    for (int64_t i = 1; i < operands.size(); ++i) held[i] = turned(operands[i], shape, n);
  iterate(loop, operands, shape, scalars);
  return y;
}

void check_integer_division(const PointwiseDef& def, const Tensor* inputs, const Scalar* scalars, DType compute) {
  if (!is_integral(compute)) return;
  if (def.integer_division) {
    bool zero = def.scalars > 0 && def.tensors == 1 ? scalars[def.scalars - 1].to_int() == 0
                                                    : !in_meta_scope() && any_zero(inputs[def.tensors - 1]);
    check(!zero, "ZeroDivisionError");
  }
  if (def.no_negative_power) {
    const Tensor& exponent = inputs[def.tensors - 1];
    check(!(exponent->wrapped_number && exponent.item().to_double() < 0),
          "Integers to negative integer powers are not allowed.");
  }
}

// gradI as one pass over its operands.
Tensor fused_gradient(const PointwiseDef& def, DType compute, int i, const Tensor& g, const Tensor* inputs,
                      const Scalar* numbers, const Tensor& y) {
  DType loads = loop_dtype(compute);
  DType real_load = def.rule == Rule::RealOfComplex ? real_of(loads) : loads;
  Tensor list[kMaxInputs];
  list[0] = def.grad_uses[i] & 1u ? g : Tensor();
  bool any = list[0].defined();
  for (int j = 0; j < def.tensors; ++j) {
    list[1 + j] = def.grad_uses[i] & (2u << j) ? inputs[j] : Tensor();
    any |= list[1 + j].defined();
  }
  if (def.grad_uses[i] & (2u << (def.tensors + def.scalars))) list[1 + def.tensors] = y;
  if (!any && !list[1 + def.tensors].defined()) return zeros_like(g);
  PointwiseLoop loop = def.gradient(i, loads);
  if (!loop) not_implemented(def, compute);
  alignas(16) char scalars[4 * cpu::kScalarSlot];
  fill_scalars(scalars, numbers, def.scalars, loads);
  if (real_load != loads && list[1 + def.tensors].defined()) return def.grad_expr(i, g, inputs, numbers, y);
  return run_loop(loop, list, def.tensors + 2, loads, real_load, loads, compute, scalars, Tensor());
}

class PointwiseNode final : public Node {
 public:
  PointwiseNode(const PointwiseDef& def, const Tensor* inputs, const Scalar* scalars, const Tensor& y, DType compute)
      : def_(def), compute_(compute), first_(def.rule == Rule::Select ? 1 : 0), name_(def.backward_name.c_str()) {
    if (!def.backward_of_numbers[0].empty()) {
      if (inputs[0]->wrapped_number) name_ = def.backward_of_numbers[0].c_str();
      if (inputs[def.tensors - 1]->wrapped_number) name_ = def.backward_of_numbers[1].c_str();
    }
    unsigned uses = 0;
    for (int i = first_; i < def.tensors; ++i) {
      bool wants =
          (def.has_grad[i] || def.no_derivative) && inputs[i].requires_grad() && is_differentiable(inputs[i].dtype());
      edges.push_back(wants ? gradient_edge(inputs[i]) : Edge{});
      if (wants && def.has_grad[i]) uses |= def.grad_uses[i];
    }
    keeps_ = (uses >> 1) != 0;
    bool broadcast = false;
    for (int i = 0; i < def.tensors; ++i) {
      broadcast |= !same_sizes(inputs[i].sizes(), y.sizes());
      dtypes_[i] = inputs[i].dtype();
      // Where only the shape matters there is nothing to keep.
      if (keeps_) saved.emplace_back(uses & (2u << i) ? inputs[i] : Tensor(), false);
    }
    if (keeps_) saved.emplace_back(uses & (2u << (def.tensors + def.scalars)) ? y : Tensor(), true);
    if (broadcast)
      for (int i = 0; i < def.tensors; ++i) shapes_.push_back(inputs[i].sizes());
    for (int i = 0; i < def.scalars; ++i) scalars_.push_back(scalars[i]);
  }
  const char* name() const override { return name_; }
  int saved_index(std::string_view name) const override {
    if (name == "result") return def_.tensors;
    if (name == "self") return 0;
    if (!Registry::get().has(def_.name)) return -1;
    const OpDef& op = *Registry::get().overloads(def_.name).front();
    for (int i = 1; i < def_.tensors && i < static_cast<int>(op.params.size()); ++i)
      if (op.params[static_cast<size_t>(i)].name == name) return i;
    return -1;
  }

  void apply(const Gradients& grads, Gradients& results) override {
    const Tensor& g = grads[0];
    Tensor inputs[kMaxInputs];
    for (int i = 0; i < def_.tensors; ++i) inputs[i] = keeps_ ? saved[i].get(*this) : Tensor();
    Tensor y = keeps_ ? saved[def_.tensors].get(*this) : Tensor();
    for (int i = first_; i < def_.tensors; ++i) {
      const int edge = i - first_;
      if (!needs(edge) || !is_followed(*this, edge)) continue;
      if (!def_.has_grad[i])
        fail(ErrorKind::NotImplemented, "the derivative for '", def_.name, "' is not implemented with respect to its ",
             i == 0 ? "first" : "second", " argument.");
      bool by_ops = grad_mode.enabled || def_.rule == Rule::Select || def_.rule == Rule::ComplexOfReal;
      Tensor r = by_ops ? def_.grad_expr(i, g, inputs, scalars_.data(), y)
                        : fused_gradient(def_, compute_, i, g, inputs, scalars_.data(), y);
      if (grad_mode.enabled && keeps_) {
        inputs[def_.tensors] = y;
        r = tie_to_inputs(std::move(r), {inputs, static_cast<size_t>(def_.tensors + 1)});
      }
      if (!shapes_.empty()) r = sum_to(r, shapes_[static_cast<size_t>(i)]);
      if (r.dtype() != dtypes_[i]) {
        if (is_complex_dtype(r.dtype()) && !is_complex_dtype(dtypes_[i])) r = real(r);
        if (r.dtype() != dtypes_[i]) r = to_dtype(r, dtypes_[i]);
      }
      results[edge] = r;
    }
  }

 private:
  const PointwiseDef& def_;
  DType compute_;
  int first_;  // input with an edge: a condition has none
  const char* name_;
  DType dtypes_[4] = {};
  bool keeps_ = false;
  std::vector<Dims> shapes_;  // of the inputs, if any was broadcast
  SmallVector<Scalar, 1> scalars_;
};

}  // namespace

// A first derivative that is piecewise constant in its inputs depends on them all the same: differentiating it again
// gives zeros, not the complaint that it has no history.
Tensor tie_to_inputs(Tensor r, std::span<const Tensor> inputs) {
  if (!grad_mode.enabled || r.requires_grad() || !is_differentiable(r.dtype())) return r;
  bool wanted = false;
  for (const Tensor& t : inputs) wanted |= t.defined() && t.requires_grad();
  if (!wanted) return r;
  SmallVector<Dims, 2> shapes;
  SmallVector<DType, 4> dtypes;
  for (const Tensor& t : inputs) {
    shapes.push_back(t.defined() ? Dims(t.sizes()) : Dims());
    dtypes.push_back(t.defined() ? t.dtype() : DType::F32);
  }
  Tensor out = r.alias();
  const Tensor outs[] = {out};
  record("ZerosBackward0", outs, inputs, {}, [shapes, dtypes](Backward& ctx) {
    for (int64_t i = 0; i < shapes.size(); ++i)
      if (ctx.needs(i)) ctx.set(i, zeros(shapes[i], dtypes[i]));
  });
  return out;
}

Tensor pointwise_gradient(const PointwiseDef& def, int input, const Tensor& g, const Tensor* inputs,
                          const Scalar* scalars, const Tensor& y) {
  if (grad_mode.enabled)
    return tie_to_inputs(def.grad_expr(input, g, inputs, scalars, y), {inputs, static_cast<size_t>(def.tensors)});
  if (def.rule == Rule::Select || def.rule == Rule::ComplexOfReal) return def.grad_expr(input, g, inputs, scalars, y);
  return fused_gradient(def, compute_dtype(def, inputs, scalars), input, g, inputs, scalars, y);
}

namespace {

// In place of a derivative that there is not.
class NotImplemented final : public Node {
 public:
  NotImplemented(const char* op, const Tensor* inputs, int count) : op_(op) {
    for (int i = 0; i < count; ++i) edges.push_back(gradient_edge(inputs[i]));
  }
  const char* name() const override { return "torch::autograd::NotImplemented"; }
  void apply(const Gradients&, Gradients&) override {
    fail(ErrorKind::Runtime, "derivative for aten::", op_, " is not implemented");
  }

 private:
  const char* op_;
};

void record_pointwise(const PointwiseDef& def, const Tensor* inputs, const Scalar* scalars, const Tensor& y,
                      DType compute) {
  bool wanted = false, some = false;
  for (int i = 0; i < def.tensors; ++i) {
    wanted |= (def.has_grad[i] || def.no_derivative) && inputs[i].requires_grad();
    some |= def.has_grad[i];
  }
  if (def.no_derivative && wanted && !some)
    set_history(y, Ref<Node>(new NotImplemented(def.name, inputs, def.tensors)));
  else if (wanted && is_differentiable(y.dtype()))
    set_history(y, Ref<Node>(new PointwiseNode(def, inputs, scalars, y, compute)));
}

DType result_dtype(const PointwiseDef& def, DType d) {
  if (def.bool_result) return DType::Bool;
  if (def.rule == Rule::RealOfComplex) return real_of(d);
  return def.rule == Rule::ComplexOfReal ? complex_of(d) : d;
}

// The place of the result is looked at before the operation's own dtypes are.
void check_destination(const PointwiseDef& def, const Tensor* inputs, DType result, const Tensor& out) {
  check(can_cast(result, out.dtype()), "result type ", scalar_type_name(result),
        " can't be cast to the desired output type ", scalar_type_name(out.dtype()));
  Dims shape = inputs[0].sizes();
  for (int i = 1; i < def.tensors; ++i) shape = broadcast_shapes(shape, inputs[i].sizes());
  check(same_sizes(out.sizes(), shape), "output with shape ", shape_str(out.sizes()),
        " doesn't match the broadcast shape ", shape_str(shape));
}

// Small float tensors of one shape and type, as they lie, make up most calls: nothing is left to decide for them.
bool is_plain(const PointwiseDef& def, const Tensor* inputs, const Scalar* scalars) {
  const TensorImpl& lead = *inputs[0].get();
  DType d = lead.dtype();
  if ((d != DType::F32 && d != DType::F64) || !(def.types & pointwise::kFloating)) return false;
  if ((def.rule != Rule::Same && def.rule != Rule::Float) || lead.numel() > kGrain) return false;
  bool plain = lead.is_contiguous() && !lead.wrapped_number;
  for (int i = 1; i < def.tensors; ++i) {
    const TensorImpl& t = *inputs[i].get();
    plain &= t.dtype() == d && t.is_contiguous() && !t.wrapped_number && same_sizes(t.sizes(), lead.sizes());
  }
  for (int i = 0; i < def.scalars; ++i) plain &= !scalars[i].is_complex() && !scalars[i].is_bool();
  return plain;
}

Tensor run_plain(const PointwiseDef& def, PointwiseLoop loop, const Tensor* inputs, const Scalar* scalars) {
  DType d = inputs[0].dtype();
  alignas(16) char numbers[4 * cpu::kScalarSlot];
  fill_scalars(numbers, scalars, def.scalars, d);
  Tensor y = Tensor::empty(inputs[0].sizes(), d);
  const char* in[kMaxInputs];
  for (int i = 0; i < def.tensors; ++i) in[i] = static_cast<const char*>(inputs[i].raw());
  if (int64_t n = y.numel(); n > 0) loop(static_cast<char*>(y.raw()), in, numbers, n);
  if (grad_mode.enabled) record_pointwise(def, inputs, scalars, y, d);
  return y;
}

}  // namespace

Tensor run_pointwise(const PointwiseDef& def, const Tensor* inputs, const Scalar* scalars, const Tensor& out) {
  const bool offered = !out.defined() && Destination::is_offered();
  if (!out.defined() && !offered && is_plain(def, inputs, scalars))
    if (PointwiseLoop loop = def.forward(inputs[0].dtype())) return run_plain(def, loop, inputs, scalars);
  DType compute = compute_dtype(def, inputs, scalars);
  if (def.refuses_bool || def.scalars) check_operands(def, inputs, scalars, compute);
  if (!(def.types & type_class(compute))) {
    if (out.defined()) check_destination(def, inputs, result_dtype(def, compute), out);
    not_implemented(def, compute);
  }
  DType loads = compute;
  PointwiseLoop loop = def.forward(compute);
  if (!loop) loop = def.forward(loads = loop_dtype(compute));
  if (!loop) not_implemented(def, compute);
  if (def.integer_division || def.no_negative_power) check_integer_division(def, inputs, scalars, compute);
  DType y_load = result_dtype(def, loads), result = result_dtype(def, compute);
  if (out.defined()) {
    check(can_cast(result, out.dtype()), "result type ", scalar_type_name(result),
          " can't be cast to the desired output type ", scalar_type_name(out.dtype()));
  }
  DType first_load = def.rule == Rule::Select ? DType::Bool : loads;
  alignas(16) char numbers[4 * cpu::kScalarSlot];
  if (def.scalars) fill_scalars(numbers, scalars, def.scalars, loads);
  Tensor place = out;
  if (offered) [[unlikely]] {
    Dims shape(inputs[0].sizes());
    for (int i = 1; i < def.tensors; ++i) shape = broadcast_shapes(shape, inputs[i].sizes());
    place = Destination::for_elements(shape, result);
  }
  // A tensor of integers is rounded to a short type before it meets one.
  const Tensor* operands = inputs;
  std::unique_ptr<Tensor[]> rounded;
  if (loads != compute) [[unlikely]] {
    for (int i = 0; i < def.tensors; ++i) {
      if (!is_integral(inputs[i].dtype()) || item_size(inputs[i].dtype()) == 1 || inputs[i].dim() == 0) continue;
      if (!rounded) {
        rounded = std::make_unique<Tensor[]>(static_cast<size_t>(def.tensors));
        std::copy(inputs, inputs + def.tensors, rounded.get());
        operands = rounded.get();
      }
      rounded[static_cast<size_t>(i)] = to_dtype(detach(inputs[i]), compute);
    }
  }
  Tensor y = run_loop(loop, operands, def.tensors, loads, first_load, y_load, place.defined() ? place.dtype() : result,
                      numbers, place);
  if (grad_mode.enabled && !out.defined()) record_pointwise(def, inputs, scalars, y, compute);
  return y;
}

}  // namespace rl
