/* Products of principal components compiled for AVX-512 (see the makefile); same bits as pca_kernel_base.c. */
#if defined(__x86_64__)
#define KERNEL pca_product_avx512
#include "pca_kernel_impl.h"
#else
typedef int grn_not_x86_64;
#endif
