/* The cut between "off" and "on" in one sample of scores: two-component mixture with gates that keep skewed data from being
 * called two populations, and the rules of the field beside it.
 *
 * SPEC_GRN section 7 (the rule of GRNFormer, arXiv 2503.01682, made decidable):
 *   values that are not finite are dropped; none left -> EMPTY; all equal -> CONSTANT (nobody is on); fewer than 30 -> SMALL
 *   one value in more than 20 % of the sample is set aside as a point mass (MASS flag); fewer than 30 others -> MASS_ONLY
 *   mixture of the others; gate: dBIC >= 10, D > 2, smaller weight >= max(0.05, 10/n), a crossing t between the means
 *   gate and valley >= 0.1 and (dip p <= 0.05 or valley >= 0.3) -> BIMODAL, cut t
 *   gate and |skewness| >= 0.3 and D >= 2.5 -> SHOULDER, cut t
 *   else UNIMODAL: mean + 2 sd of the larger component when dBIC >= 10 and the other lies above it, else mean + 2 sd1 of all
 *   finite values, point mass included
 *
 * An item is on when its score > cut. Thread safe, no randomness, independent of the order of the values. */
#ifndef GRN_STAT_THRESHOLD_H
#define GRN_STAT_THRESHOLD_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "stat/explore.h"
#include "stat/mixture.h"

typedef enum {
    GRN_CUT_BIMODAL,
    GRN_CUT_SHOULDER,
    GRN_CUT_UNIMODAL,
    GRN_CUT_SMALL,
    GRN_CUT_MASS_ONLY,
    GRN_CUT_CONSTANT,
    GRN_CUT_EMPTY
} grn_cut_class;
#define GRN_CUT_MASS_FLAG 0x40  /* a point mass was set aside */
#define GRN_CUT_BROAD_FLAG 0x80 /* one component covers the other (GRN_CROSS_BROAD) */

typedef enum {
    GRN_CUT_MIXTURE,  /* the rule above */
    GRN_CUT_QUANTILE, /* the quantile `tail` of all finite values */
    GRN_CUT_SCENIC,   /* pySCENIC: dip p <= 0.05 ? lowest kernel density (Scott) between the means of a mixture : mean + 2 sd0 */
    GRN_CUT_OTSU,     /* largest between-class variance over all cuts of the sample */
    GRN_CUT_AUCELL_R  /* AUCell_exploreThresholds (explore.h); BIMODAL where minimumDens won */
} grn_cut_method;
typedef enum { GRN_CUT_RAW, GRN_CUT_LOG10, GRN_CUT_LOGIT } grn_cut_transform;

typedef struct {
    grn_cut_method method;
    grn_cut_transform transform; /* fit log10(x) or ln(x/(1-x)); values <= 0 are set aside as off, for logit those >= 1 as on */
    double tail;                 /* quantile for QUANTILE, and for UNIMODAL in place of mean + 2 sd when tail_unimodal; in (0,1) */
    int tail_unimodal;
} grn_cut_opt_t;
#define GRN_CUT_OPT_INIT \
    { \
        GRN_CUT_MIXTURE, GRN_CUT_RAW, 0.9772, 0 \
    }

typedef struct {
    uint8_t klass;      /* grn_cut_class | flags; other methods: UNIMODAL or BIMODAL by their own rule, CONSTANT, EMPTY */
    double threshold;   /* on the scale of the scores; NaN for EMPTY */
    size_t n;           /* finite values */
    size_t n_on;        /* of them > (float)threshold */
    size_t n_nonfinite; /* dropped */
    size_t n_outside;   /* set aside because the transform does not take them */
    size_t n_atom;      /* at the point mass (0: none) */
    double atom;        /* its value; NaN: none */
    size_t n_fit;       /* values the mixture saw */
    double mean, sd;    /* of the finite values; sd1. With a transform: of the transformed ones */
    /* NaN where no mixture was fitted; on the transformed scale where there is a transform */
    grn_mix2_t mix;
    double dbic, ashman, cross, posterior; /* posterior of the upper component at `cross`: 0.5 for exact roots */
    grn_cross cross_kind;
    double valley, skew, dip, dip_p; /* dip: only where the rule asks for it (gate passed, valley in [0.1, 0.3)), and for SCENIC */
    grn_explore_t explore; /* AUCELL_R */
} grn_cut_t;

/* Fits one sample of n scores in any order. GRN_EINVAL for an option out of range; GRN_ENOMEM. O(n log n + passes n), 48 n bytes. */
grn_status grn_cut_fit(const float *x, size_t n, const grn_cut_opt_t *opt, grn_cut_t *out) GRN_MUST_USE;

/* "bimodal", "unimodal+mass", "shoulder+broad", ... into buf (>= 32 bytes); returns buf. */
char *grn_cut_class_name(uint8_t klass, char *buf);

/* Probability that a score belongs to the upper component, made monotone (scores beyond a mean count as that mean, so that a wide
 * component does not take both tails); 0 at and outside below the point mass; NaN when no mixture was fitted or x is not finite. */
double grn_cut_posterior(const grn_cut_t *f, const grn_cut_opt_t *opt, double x);

#endif
