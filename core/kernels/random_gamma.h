// Gamma and Dirichlet draws, bit for bit those of PyTorch's CPU generator, and the gradients of such draws with
// respect to their parameters.
#pragma once

#include "kernels/random.h"

namespace rl::random {

// One draw per concentration; they have out's dtype.
void standard_gamma(Out out, const void* concentrations, Generator& g);
// Rows of `categories` concentrations to rows of probabilities, all of out's dtype.
void dirichlet(Out out, const void* concentrations, int64_t categories, Generator& g);

// d x / d concentration where x is a draw with that concentration and the uniform number behind it stays
// (implicit reparameterisation, Figurnov et al. 2018): -(dF/da)/f of the distribution function F and the density f.
void standard_gamma_gradient(DType dtype, int64_t n, const void* concentrations, const void* draws, void* out);
// The same for x ~ Beta(concentration, total - concentration), over 1 - x.
void dirichlet_gradient(DType dtype, int64_t n, const void* draws, const void* concentrations, const void* totals,
                        void* out);

}  // namespace rl::random
