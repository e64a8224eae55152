// The loops of complex elements, of all lists: a file of their own, because GCC fuses complex products whatever it is
// told, and this one can be compiled without fused instructions. (None of these records asks for one.)
#include "kernels/cpu/pointwise_instances.h"
#include "kernels/pointwise_tables.h"

namespace rl::cpu::RL_ISA {
namespace { template <class List> using Table = ComplexLoopTable<List>; }
using namespace pointwise;
extern const Table<ArithmeticOps> arithmetic_of_complex_table = Instances<ArithmeticOps>::of_complex;
extern const Table<CompareOps> compare_of_complex_table = Instances<CompareOps>::of_complex;
extern const Table<ComplexOps> complex_of_complex_table = Instances<ComplexOps>::of_complex;
extern const Table<ExponentialOps> exponential_of_complex_table = Instances<ExponentialOps>::of_complex;
extern const Table<TrigOps> trig_of_complex_table = Instances<TrigOps>::of_complex;
extern const Table<RoundingOps> rounding_of_complex_table = Instances<RoundingOps>::of_complex;
extern const Table<ActivationOps> activation_of_complex_table = Instances<ActivationOps>::of_complex;
}  // namespace rl::cpu::RL_ISA
