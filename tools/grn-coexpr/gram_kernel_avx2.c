/* The products of genes compiled for AVX2 (see the makefile); same bits as gram_kernel_base.c. */
#if defined(__x86_64__)
#define KERNEL coexpr_gram_avx2
#include "gram_kernel_impl.h"
#else
typedef int grn_not_x86_64;
#endif
