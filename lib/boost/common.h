/* What forests and ridge regression share. */
#ifndef GRN_BOOST_COMMON_H
#define GRN_BOOST_COMMON_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "stat/corr.h"

/* Puts keys (hashes of names) in ascending order. at: (n) whose key is the k-th; place: (n) the k of key i; either may be NULL. */
grn_status grn_boost_order(const uint64_t *key, size_t n, uint32_t *at, uint32_t *place) GRN_MUST_USE;

/* The smallest and the largest of all values of y, zeros that are not stored included. GRN_ENONFINITE: "`what` holds inf in cell 3". */
grn_status grn_boost_range(const grn_spcol_t *y, const char *what, double *low, double *high) GRN_MUST_USE;

#endif
