/* Cluster and occupancy scores compiled for AVX2 (see the makefile); same bits as cbust_kernel_base.c. */
#if defined(__x86_64__)
#define KERNEL grn_cbust_kernel_avx2
#include "cbust_kernel_impl.h"
#else
typedef int grn_not_x86_64;
#endif
