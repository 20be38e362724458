/* The tree of one lane. */
#define TREE grn_tree_one
#define LANES 1
#include "boost/tree_impl.h"
#include "base/simd.h"

grn_tree_fn grn_tree_lanes(void)
{
#if defined(__x86_64__)
    grn_simd level = grn_simd_level();
    if (level == GRN_SIMD_AVX512) return grn_tree_avx512;
    if (level == GRN_SIMD_AVX2) return grn_tree_avx2;
#endif
    return grn_tree_base;
}
