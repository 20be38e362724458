/* The topic sampler compiled for AVX2 (see the makefile); same bits as lda_kernel_base.c. */
#if defined(__x86_64__)
#define KERNEL grn_lda_kernel_avx2
#include "lda_kernel_impl.h"
#else
typedef int grn_not_x86_64;
#endif
