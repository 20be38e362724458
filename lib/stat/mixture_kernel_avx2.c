/* The pass of EM compiled for AVX2 (see the makefile); same bits as mixture_kernel_base.c. */
#if defined(__x86_64__)
#define PASS grn_mix2_pass_avx2
#include "stat/mixture_kernel_impl.h"
#else
typedef int grn_not_x86_64;
#endif
