// Optimizer steps: all parameters of all groups in one call. A rule says which options and state an optimizer has;
// the loops over data are kernels/optim.h.
#pragma once

#include <deque>
#include <span>
#include <vector>

#include "kernels/optim.h"
#include "ops/basic.h"

namespace rl {

struct OptimRule {
  // A tensor kept for a parameter under a key. It starts as `value`, or as the option `from` if that is not -1.
  struct State {
    const char* key;
    double value = 0;
    int from = -1;
    int when = -1;  // the option that must not be 0 for it to be kept; -1: always
  };
  const char* name;
  cpu::OptimKind kind;
  std::vector<const char*> options;  // keys of a group; a pair such as betas is two numbers
  std::vector<State> counters;       // of no dimension; the first counts the steps
  std::vector<State> states;         // of the parameter's shape
  // The numbers of a step from the options and the counters, which it moves on. `single`: counters are float32.
  void (*prepare)(const double* options, double* counters, bool single, cpu::OptimNumbers& numbers);
};

std::span<const OptimRule> optim_rules();

// Parameters are added, then run() updates them all.
class OptimStep {
 public:
  static constexpr int kStates = 3, kCounters = 3, kOptions = 12;

  explicit OptimStep(const OptimRule& rule) : rule_(rule) {}
  void set_options(std::span<const double> options);
  void expect(size_t more) {
    kept_.reserve(kept_.size() + more);
    tensors_.reserve(tensors_.size() + more);
  }
  // Undefined counters and states that the options ask for are made; none need be given where they ask for none.
  void add(const Tensor& param, const Tensor& grad, std::span<Tensor> counters, std::span<Tensor> states);
  void run();

 private:
  struct Kept {
    Tensor param, grad, states[kStates];
  };
  struct CopyBack {
    Tensor to, from;
  };
  void count(std::span<const Tensor> counters, bool first);  // brings numbers_ up to date
  void make_plain(Kept& kept);
  Tensor plain(const Tensor& t, bool written);
  void update_all();

  const OptimRule& rule_;
  double options_[kOptions] = {};
  // What the last parameter's counters were and became: mostly all are alike.
  double before_[kCounters] = {}, after_[kCounters] = {};
  bool known_ = false, known_single_ = false, known_first_ = false;
  std::deque<cpu::OptimNumbers> numbers_;  // the last ones are the current parameter's
  std::vector<Kept> kept_;
  std::vector<cpu::OptimTensor> tensors_;
  std::vector<CopyBack> copies_;
};

}  // namespace rl
