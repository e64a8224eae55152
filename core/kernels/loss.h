// Losses fused with their reduction.
#pragma once

#include <cstdint>

#include "runtime/cpu.h"
#include "tensor/dtype.h"

namespace rl::cpu {

enum class LossReduction : uint8_t { none = 0, mean = 1, sum = 2 };  // PyTorch's numbers

struct ClassLoss {
  int64_t rows = 0, classes = 0;
  int64_t ignore_index = -100;
  double label_smoothing = 0;  // cross entropy only
  LossReduction reduction = LossReduction::mean;
};

// A target that is neither a class nor ignore_index: its row, or -1 when all are right.
struct BadTarget {
  int64_t row = -1;
  int64_t target = 0;
};

struct LossTable {
  // Logits [rows, classes] contiguous; target int64 [rows]; weight [classes] of the same dtype or null. loss: one
  // element, or one per row for `none`. norms (the rows' largest elements, then their sums of exp(element - largest);
  // float or double as in norm.h) and total_weight (one double) are kept for backward. With the mean over no counted row the loss is NaN, as PyTorch's.
  BadTarget (*cross_entropy)(DType dtype, const void* logits, const int64_t* target, const void* weight,
                             const ClassLoss& how, void* loss, void* norms, double* total_weight);
  // grad: one element, or one per row.
  void (*cross_entropy_backward)(DType dtype, const void* grad, const void* logits, const int64_t* target,
                                 const void* weight, const ClassLoss& how, const void* norms, double total_weight,
                                 void* dx);
  // The same for log-probabilities [outer, classes, inner] (rows = outer * inner; target [outer, inner]).
  BadTarget (*nll)(DType dtype, const void* log_probs, const int64_t* target, const void* weight, const ClassLoss& how,
                   int64_t inner, void* loss, double* total_weight);
  void (*nll_backward)(DType dtype, const void* grad, const int64_t* target, const void* weight, const ClassLoss& how,
                       int64_t inner, double total_weight, void* dx);
  // sum (x - y)^2, sum |x - y| over n elements, divided by n for `mean`; `none` is the pointwise kernels' business.
  void (*mse)(DType dtype, const void* x, const void* y, int64_t n, LossReduction reduction, void* loss);
  void (*l1)(DType dtype, const void* x, const void* y, int64_t n, LossReduction reduction, void* loss);
  // dx = scale * (x - y), scale * sign(x - y); dy = -dx. Either may be null. The caller folds grad, 2 and 1/n into scale.
  void (*mse_backward)(DType dtype, double scale, const void* x, const void* y, int64_t n, void* dx, void* dy);
  void (*l1_backward)(DType dtype, double scale, const void* x, const void* y, int64_t n, void* dx, void* dy);
};

RL_ISA_TABLE(LossTable, loss)

}  // namespace rl::cpu
