/* The tree compiled for AVX-512 (see the makefile). */
#if defined(__x86_64__)
#define TREE grn_tree_avx512
#define LANES 16
#include "boost/tree_impl.h"
#else
typedef int grn_not_x86_64;
#endif
