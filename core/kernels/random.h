// Random fills, bit for bit those of PyTorch's CPU generator. Each call takes the generator's lock, checks its
// arguments (errors as PyTorch's), draws, and leaves the generator in the state PyTorch would.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>

#include "tensor/dtype.h"
#include "tensor/generator.h"

namespace rl::random {

// Dense memory to fill, in the order of its addresses. `contiguous` is whether the tensor itself was contiguous:
// a dense transposed tensor is filled in memory order, and its normals come from the element-by-element algorithm.
struct Out {
  DType dtype;
  void* data;
  int64_t n;
  bool contiguous = true;
};

// Runs fill on any strided memory (strides in elements): directly if it is dense, else through a temporary.
void fill_strided(DType dtype, void* data, int ndim, const int64_t* sizes, const int64_t* strides,
                  const std::function<void(Out)>& fill);

// [from, to); floating and complex (both parts).
void uniform(Out out, double from, double to, Generator& g);
// Floating; complex parts have std / sqrt(2) and both the given mean.
void normal(Out out, double mean, double std, Generator& g);
// torch.normal with tensors: pointers to n means / standard deviations of out's dtype, or null for the scalar.
void normal_each(Out out, const void* means, double mean, const void* stds, double std, Generator& g);
// random_(from, to), random_(to) with from = 0, random_(from, nullopt), randint.
void random_range(Out out, int64_t from, std::optional<int64_t> to, Generator& g);
// random_(): every non-negative value of an integer type, 0 .. 2^digits of a floating one.
void random_full(Out out, Generator& g);
// randperm(n) into dtype; n = out.n.
void randperm(Out out, Generator& g);
// bernoulli_(p) in any real dtype; the keep mask of dropout is bernoulli(out, 1 - p).
void bernoulli(Out out, double p, Generator& g);
// bernoulli_(p) with n probabilities of a floating dtype; torch.bernoulli(input) has p = input.
void bernoulli_each(Out out, DType p_dtype, const void* p, Generator& g);
// Dropout's factor: 0 with probability p, else 1 / (1 - p) rounded to the dtype. 0 <= p < 1, floating.
void dropout_mask(Out out, double p, Generator& g);
void exponential(Out out, double lambda, Generator& g);
void geometric(Out out, double p, Generator& g);
void cauchy(Out out, double median, double sigma, Generator& g);
void log_normal(Out out, double mean, double std, Generator& g);
// One draw per rate; rates have out's dtype.
void poisson(Out out, const void* rates, Generator& g);
// One draw per (count, probability) pair; float32 or float64.
void binomial(Out out, const void* counts, const void* probabilities, Generator& g);
// `rows` rows of `categories` weights (contiguous, floating) -> rows x samples indices.
void multinomial(DType dtype, const void* weights, int64_t rows, int64_t categories, int64_t samples, bool replacement,
                 int64_t* out, Generator& g);

}  // namespace rl::random
