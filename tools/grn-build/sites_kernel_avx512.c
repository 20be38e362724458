/* The site scanner compiled for AVX-512 (see the makefile); same bits as sites_kernel_base.c. */
#if defined(__x86_64__)
#define KERNEL grn_sites_kernel_avx512
#include "sites_kernel_impl.h"
#else
typedef int grn_not_x86_64;
#endif
