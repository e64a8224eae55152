#include "python/autocast.h"

#include "ops/basic.h"

namespace rl::py {
namespace {

enum class Precision : uint8_t { AsIs, Lower, Full, Widest, LikeFirst, Padding };

// The ops that PyTorch's CPU autocast lists, where they exist here, by the names they have here.
constexpr const char* kLower[] = {"linear",
                                  "mm",
                                  "matmul",
                                  "addmm",
                                  "bmm",
                                  "baddbmm",
                                  "addbmm",
                                  "inner",
                                  "conv1d",
                                  "conv2d",
                                  "conv3d",
                                  "convolution",
                                  "_convolution",
                                  "conv_tbc",
                                  "conv_transpose1d",
                                  "conv_transpose2d",
                                  "conv_transpose3d",
                                  "linalg_vecdot",
                                  "linalg_matmul",
                                  "linalg_multi_dot",
                                  "chain_matmul",
                                  "matrix_power",
                                  "linalg_matrix_power",
                                  "scaled_dot_product_attention",
                                  "_native_multi_head_attention",
                                  "lstm",
                                  "rnn_tanh",
                                  "rnn_relu"};
constexpr const char* kFull[] = {"avg_pool3d",
                                 "binary_cross_entropy",
                                 "binary_cross_entropy_with_logits",
                                 "grid_sampler",
                                 "grid_sampler_2d",
                                 "grid_sampler_3d",
                                 "polar",
                                 "prod",
                                 "quantile",
                                 "nanquantile",
                                 "stft",
                                 "istft",
                                 "cdist",
                                 "trace",
                                 "view_as_complex",
                                 "cholesky_inverse",
                                 "inverse",
                                 "max_pool3d",
                                 "max_pool3d_with_indices",
                                 "max_unpool2d",
                                 "max_unpool3d",
                                 "adaptive_avg_pool3d",
                                 "adaptive_max_pool3d",
                                 "fractional_max_pool2d",
                                 "fractional_max_pool3d",
                                 "reflection_pad1d",
                                 "reflection_pad2d",
                                 "replication_pad1d",
                                 "replication_pad2d",
                                 "replication_pad3d",
                                 "mse_loss",
                                 "l1_loss",
                                 "huber_loss",
                                 "smooth_l1_loss",
                                 "nll_loss",
                                 "nll_loss2d",
                                 "nll_loss_nd",
                                 "cross_entropy_loss",
                                 "kl_div",
                                 "poisson_nll_loss",
                                 "cosine_embedding_loss",
                                 "hinge_embedding_loss",
                                 "margin_ranking_loss",
                                 "soft_margin_loss",
                                 "triplet_margin_loss",
                                 "multi_margin_loss",
                                 "multilabel_margin_loss",
                                 "ctc_loss"};
// They take one type only; the first argument, the input, says which.
constexpr const char* kLikeFirst[] = {"gru",           "lstm_cell", "gru_cell",     "rnn_tanh_cell",
                                      "rnn_relu_cell", "prelu",     "_prelu_kernel"};
constexpr const char* kPadding[] = {"pad"};  // with zeros as it is, with what is there in float32
constexpr const char* kWidest[] = {"cat", "concat", "concatenate", "stack", "index_copy"};

std::vector<Precision> table_of_ops() {
  Registry& registry = Registry::get();
  std::vector<Precision> table(registry.ops().size(), Precision::AsIs);
  auto fill = [&](const auto& names, Precision p) {
    for (const char* name : names)
      if (registry.has(name))
        for (const OpDef* def : registry.overloads(name)) table[static_cast<size_t>(def->index)] = p;
  };
  fill(kLower, Precision::Lower);
  fill(kFull, Precision::Full);
  fill(kWidest, Precision::Widest);
  fill(kLikeFirst, Precision::LikeFirst);
  fill(kPadding, Precision::Padding);
  return table;
}

Precision precision_of(const OpDef& def) {
  static const std::vector<Precision> table = table_of_ops();
  return table[static_cast<size_t>(def.index)];
}

bool casts(const Tensor& t) {
  DType d = t.dtype();
  return d == DType::F32 || d == DType::F16 || d == DType::BF16;
}

// Weights are cast once for all their uses: the key holds the weight, so that its address stays its own.
struct State {
  DType lower = DType::BF16;
  bool cache = true;
  using Weights = std::unordered_map<const TensorImpl*, std::pair<Tensor, Tensor>>;
  Weights weights;
  // A thread that ends within a region holds no lock: tensors that others count too can not be let go of.
  ~State() {
    if (!weights.empty()) (void)std::make_unique<Weights>(std::move(weights)).release();
  }
};
State& state() {
  static thread_local State s;
  return s;
}

Tensor cast(const Tensor& t, DType to) {
  State& s = state();
  bool keep = s.cache && to == s.lower && t.dtype() == DType::F32 && t.requires_grad() && is_leaf(t) && !t->base &&
              grad_mode.enabled;
  if (!keep) return to_dtype(t, to);
  auto found = s.weights.find(t.get());
  if (found == s.weights.end()) found = s.weights.emplace(t.get(), std::pair(t, to_dtype(t, to))).first;
  return found->second.second;
}

PyObject* set_autocast(PyObject*, PyObject* args) {
  int on, cache;
  PyObject* dtype;
  if (!PyArg_ParseTuple(args, "pOp:_set_autocast", &on, &dtype, &cache)) return nullptr;
  return guarded([&]() -> PyObject* {
    check_type(is_dtype(dtype), "_set_autocast(): expected a dtype");
    State& s = state();
    DType lower = dtype_from(dtype);
    if (lower != s.lower) s.weights.clear();
    s.lower = lower;
    s.cache = cache != 0;
    autocast_on = on != 0;
    Py_RETURN_NONE;
  });
}

PyObject* is_on(PyObject*, PyObject*) { return PyBool_FromLong(autocast_on); }

PyObject* clear_cache(PyObject*, PyObject*) {
  state().weights.clear();
  Py_RETURN_NONE;
}

PyMethodDef functions[] = {
    {"_set_autocast", set_autocast, METH_VARARGS, "(on, dtype, cache): mixed precision on this thread."},
    {"_autocast_on", is_on, METH_NOARGS, "Whether ops are cast on this thread."},
    {"_clear_autocast_cache", clear_cache, METH_NOARGS, "Forgets the weights that autocast has cast."},
    {nullptr, nullptr, 0, nullptr}};

}  // namespace

void Autocast::apply(const OpDef& def, Value* args) {
  Precision precision = precision_of(def);
  if (precision == Precision::AsIs) return;
  size_t count = def.params.size();
  if (precision == Precision::Padding && (args[2].tag != Tag::String || !args[2].string->starts_with("re"))) return;
  auto each = [&](auto&& visit) {
    for (size_t i = 0; i < count; ++i) {
      if (args[i].tag == Tag::Tensor) visit(Tensor(args[i].tensor));
      if (args[i].tag == Tag::TensorList)
        for (const Tensor& t : *args[i].tensors)
          if (t.defined()) visit(t);
    }
  };
  DType to = precision == Precision::Lower ? state().lower : DType::F32;
  if (precision == Precision::Widest) {
    bool all = true;
    each([&](const Tensor& t) { all &= !casts(t) || t.dtype() == state().lower; });
    if (all) to = state().lower;
  }
  if (precision == Precision::LikeFirst) {
    if (args[0].tag != Tag::Tensor || !casts(Tensor(args[0].tensor))) return;
    to = args[0].tensor->dtype();
  }
  for (size_t i = 0; i < count; ++i) {
    if (args[i].tag == Tag::Tensor) {
      Tensor t(args[i].tensor);
      if (!casts(t) || t.dtype() == to) continue;
      held_.push_back(cast(t, to));
      args[i].tensor = held_.back().get();
    } else if (args[i].tag == Tag::TensorList) {
      auto list = std::make_unique<TensorList>(*args[i].tensors);
      for (Tensor& t : *list)
        if (t.defined() && casts(t) && t.dtype() != to) t = cast(t, to);
      args[i].tensors = list.get();
      lists_.push_back(std::move(list));
    }
  }
}

int add_autocast(PyObject* module) { return PyModule_AddFunctions(module, functions); }

}  // namespace rl::py
