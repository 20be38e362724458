/* Which regulon is on in which cell: one bit per (cell, regulon), with the thresholds and fits
 * behind them. Schema grn.activity/1.
 *
 * bits: (C, ceil(R/64)) u64 row-major, bit r%64 of word r/64. Contexts are the groups the
 * thresholds were fitted in (cell types, or one "all"); context[c] is the group of cell c. Fit
 * columns are (contexts, R) row-major. Frames are small and cells are indexed by name, so that
 * io/activity_read.h finds any of them at once. */
#ifndef GRN_IO_ACTIVITY_H
#define GRN_IO_ACTIVITY_H

#include <stdint.h>

#include "base/err.h"
#include "base/names.h"
#include "base/par.h"

/* Classes of SPEC section 7, as stored in `klass`. */
typedef enum {
    GRN_FIT_BIMODAL,
    GRN_FIT_SHOULDER,
    GRN_FIT_UNIMODAL,
    GRN_FIT_SMALL,
    GRN_FIT_MASS_ONLY,
    GRN_FIT_CONSTANT,
    GRN_FIT_EMPTY
} grn_fit_class;
#define GRN_FIT_MASS_FLAG 0x40 /* "+mass": a point mass was set aside */
#define GRN_FIT_BROAD_FLAG 0x80

typedef struct {
    char *name; /* "mean1","mean2","sd1","sd2","weight1","weight2","dbic","ashman_d","valley","skew","dip_p","n_on","n","source"
                   ... */
    float *v;   /* (contexts, R) */
} grn_fit_column_t;

typedef struct {
    uint64_t n_cells, n_regulons, n_words;
    uint64_t *bits;    /* (C, n_words) */
    uint16_t *context; /* (C) */
    float *threshold;  /* (contexts, R) */
    uint8_t *klass;    /* (contexts, R): grn_fit_class | flags */
    grn_fit_column_t *fit;
    size_t n_fit;
    float *posterior; /* (C, R) or NULL */
    grn_names_t cells, regulons, contexts;
} grn_activity_t;

void grn_activity_clear(grn_activity_t *a);
static inline int grn_activity_get(const grn_activity_t *a, uint64_t cell, uint64_t regulon)
{
    return (int)(a->bits[cell * a->n_words + regulon / 64] >> (regulon % 64) & 1);
}
static inline void grn_activity_set(grn_activity_t *a, uint64_t cell, uint64_t regulon)
{
    a->bits[cell * a->n_words + regulon / 64] |= (uint64_t)1 << (regulon % 64);
}
grn_status grn_activity_save(const grn_activity_t *a, const char *path,
                             grn_par_t *pool) GRN_MUST_USE;
grn_status grn_activity_load(const char *path, grn_par_t *pool, grn_activity_t *a) GRN_MUST_USE;

#endif
