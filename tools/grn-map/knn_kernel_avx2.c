/* The nearest-neighbour search compiled for AVX2 (see the makefile); the same neighbours as knn_kernel_base.c. */
#if defined(__x86_64__)
#define KERNEL knn_kernel_avx2
#include "knn_kernel_impl.h"
#else
typedef int grn_not_x86_64;
#endif
