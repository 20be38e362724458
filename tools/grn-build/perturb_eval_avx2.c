/* Predictions compiled for AVX2 (see the makefile); same sums as perturb_eval_base.c. */
#if defined(__x86_64__)
#define EVAL grn_perturb_eval_avx2
#include "perturb_eval_impl.h"
#else
typedef int grn_not_x86_64;
#endif
