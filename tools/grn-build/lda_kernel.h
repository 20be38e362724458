/* The inner loop of the topic sampler, for one block of regions and a group of cells. Private to lda.c; three copies that give the
 * same bits (SSE2 or portable, AVX2, AVX-512), chosen at run time. */
#ifndef GRN_BUILD_LDA_KERNEL_H
#define GRN_BUILD_LDA_KERNEL_H

#include <stddef.h>
#include <stdint.h>

#define GRN_LDA_LANES 16          /* topics summed side by side; K is padded to a multiple */
#define GRN_LDA_GROUP 16  /* cells drawn in turns: the draws of one cell wait for each other, those of several do not */
#define GRN_LDA_ABSENT 0xffffu    /* topic of a token that is held out */

typedef struct { /* the tokens of one cell in one block */
    const uint16_t *token; /* (n) region within the block | flags */
    const uint16_t *z;     /* (n) topics; GRN_LDA_ABSENT */
    uint16_t *drawn;       /* (n) new topics */
    uint32_t n;
    float *nd;             /* (KP) n_dk + alpha/K, kept up to date; padding 0 */
    const float *u;        /* (n) uniform in [0, 1) */
} grn_lda_run_t;

typedef struct {
    const void *nw;    /* (regions of the block, KP) n_kw, uint16_t or uint32_t; padding 0 */
    const float *inv;  /* (KP) 1 / (n_k + R eta); padding 0 */
    float eta;
    uint32_t K, KP;
    int join;          /* absent tokens are drawn, not passed over */
} grn_lda_block_t;

/* Draws a new topic for every token of the runs (n_runs <= GRN_LDA_GROUP) with probability in proportion to
 * (n_dk + alpha/K) (n_kw + eta) / (n_k + R eta), counts n_dk and n_kw without the token itself. scratch: KP floats. All float
 * arrays are aligned to 64 bytes, nw to 16 of its values. */
typedef void (*grn_lda_draw_fn)(const grn_lda_block_t *b, const grn_lda_run_t *run, int n_runs, float *scratch);
/* Philox4x32-10: the blocks of counters {first + i, sweep, hash}, i = 0..15, under key, as floats in [0, 1). */
typedef void (*grn_lda_uniform_fn)(const uint32_t key[2], uint32_t first, uint32_t sweep, uint64_t hash, float out[64]);

typedef struct {
    grn_lda_draw_fn draw16, draw32; /* by the width of nw */
    grn_lda_uniform_fn uniform;
} grn_lda_kernel_t;

extern const grn_lda_kernel_t grn_lda_kernel_base;
#if defined(__x86_64__)
extern const grn_lda_kernel_t grn_lda_kernel_avx2, grn_lda_kernel_avx512;
#endif

#endif
