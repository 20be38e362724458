/* The loops of AUCell compiled for AVX2 (see the makefile); same bits as aucell_kernel_base.c. */
#if defined(__x86_64__)
#define KERNEL aucell_kernel_avx2
#include "aucell_kernel_impl.h"
#else
typedef int grn_not_x86_64;
#endif
