#include "stat/curve.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "base/rng.h"

typedef struct {
    uint64_t key; /* ascending key = descending score */
    uint32_t item;
} ranked_t;

/* Order-reversing bit pattern: the largest double gets the smallest key; -0 and +0 are one score. */
static uint64_t descending_key(double x)
{
    uint64_t b;
    x += 0.0;
    memcpy(&b, &x, sizeof b);
    return b >> 63 ? b : ~b & 0x7fffffffffffffffu;
}

static double key_score(uint64_t k)
{
    uint64_t b = k >> 63 ? k : ~k & 0x7fffffffffffffffu;
    double x;
    memcpy(&x, &b, sizeof x);
    return x;
}

/* Least significant digit radix sort; passes whose digit is the same everywhere are skipped. The result is in a. */
static void radix_sort(ranked_t *a, ranked_t *tmp, size_t n)
{
    for (int shift = 0; shift < 64; shift += 8) {
        size_t count[257] = { 0 };
        for (size_t i = 0; i < n; i++) count[(a[i].key >> shift & 255) + 1]++;
        if (n == 0 || count[(a[0].key >> shift & 255) + 1] == n) continue;
        for (int d = 0; d < 256; d++) count[d + 1] += count[d];
        for (size_t i = 0; i < n; i++) tmp[count[a[i].key >> shift & 255]++] = a[i];
        memcpy(a, tmp, n * sizeof *a);
    }
}

/* Items in descending order of score. */
static grn_status rank_items(const double *score, size_t n, ranked_t **out)
{
    grn_status rc = GRN_OK;
    ranked_t *tmp = NULL;
    *out = NULL;
    if (n > UINT32_MAX) GRN_FAIL(GRN_EINVAL, "%zu scored items; at most %u are supported", n, UINT32_MAX);
    for (size_t i = 0; i < n; i++)
        if (!isfinite(score[i])) GRN_FAIL(GRN_ENONFINITE, "score of item %zu is not a finite number", i);
    GRN_TRY(GRN_NEW_RAW(*out, n));
    GRN_TRY(GRN_NEW_RAW(tmp, n));
    for (size_t i = 0; i < n; i++) (*out)[i] = (ranked_t){ descending_key(score[i]), (uint32_t)i };
    radix_sort(*out, tmp, n);
end:
    free(tmp);
    if (rc != GRN_OK) {
        free(*out);
        *out = NULL;
    }
    return rc;
}

/* Copies of item `i` in this replicate; NULL weights = one each. */
static double copies(const uint8_t *w, size_t i) { return w ? w[i] : 1.0; }

/* Early precision over the ranked items: everything down to the score of the P-th item, ties included, zero scores never. */
static void score_early(const ranked_t *r, const uint8_t *label, const uint8_t *w, size_t n, grn_curve_t *c)
{
    double taken = 0, hits = 0;
    for (size_t i = 0; i < n && taken < c->n_pos;) {
        size_t j = i;
        if (key_score(r[i].key) <= 0) break;
        for (; j < n && r[j].key == r[i].key; j++) {
            double k = copies(w, r[j].item);
            taken += k;
            if (label[r[j].item]) hits += k;
        }
        i = j;
    }
    c->n_selected = taken;
    c->ep = c->n_pos > 0 ? (taken > 0 ? hits / taken : 0.0) : NAN;
    c->epr = c->n_pos > 0 ? c->ep / c->density : NAN;
}

/* All areas of one (weighted) ranking, in one sweep over its tie groups. */
static void score_ranked(const ranked_t *r, const uint8_t *label, const uint8_t *w, size_t n, grn_curve_t *c)
{
    double tp = 0, fp = 0, prec = 1, roc = 0, pr = 0, ap = 0;
    memset(c, 0, sizeof *c);
    for (size_t i = 0; i < n; i++) *(label[r[i].item] ? &c->n_pos : &c->n_neg) += copies(w, r[i].item);
    c->density = c->n_pos + c->n_neg > 0 ? c->n_pos / (c->n_pos + c->n_neg) : NAN;
    for (size_t i = 0; i < n;) {
        double tp0 = tp, fp0 = fp, prec0 = prec;
        size_t j = i;
        for (; j < n && r[j].key == r[i].key; j++) *(label[r[j].item] ? &tp : &fp) += copies(w, r[j].item);
        i = j;
        if (tp + fp == tp0 + fp0) continue; /* a tie group that this replicate left out */
        prec = tp / (tp + fp);
        roc += (fp - fp0) * (tp + tp0) / 2;
        pr += (tp - tp0) * (prec + prec0) / 2;
        ap += (tp - tp0) * prec;
    }
    c->auroc = c->n_pos > 0 && c->n_neg > 0 ? roc / (c->n_pos * c->n_neg) : NAN;
    c->auprc = c->n_pos > 0 ? pr / c->n_pos : NAN;
    c->ap = c->n_pos > 0 ? ap / c->n_pos : NAN;
    score_early(r, label, w, n, c);
}

grn_status grn_curve_score(const double *score, const uint8_t *label, size_t n, grn_curve_t *out)
{
    grn_status rc = GRN_OK;
    ranked_t *r = NULL;
    GRN_TRY(rank_items(score, n, &r));
    score_ranked(r, label, NULL, n, out);
end:
    free(r);
    return rc;
}

void grn_curve_points_clear(grn_curve_points_t *p)
{
    if (!p) return;
    free(p->threshold);
    free(p->tp);
    free(p->fp);
    memset(p, 0, sizeof *p);
}

grn_status grn_curve_points(const double *score, const uint8_t *label, size_t n, grn_curve_points_t *out)
{
    grn_status rc = GRN_OK;
    ranked_t *r = NULL;
    size_t steps = 0, k = 0;
    memset(out, 0, sizeof *out);
    GRN_TRY(rank_items(score, n, &r));
    for (size_t i = 0; i < n; i++) steps += i == 0 || r[i].key != r[i - 1].key;
    GRN_TRY(GRN_NEW(out->threshold, steps));
    GRN_TRY(GRN_NEW(out->tp, steps));
    GRN_TRY(GRN_NEW(out->fp, steps));
    for (size_t i = 0; i < n; i++) {
        *(label[r[i].item] ? &out->n_pos : &out->n_neg) += 1;
        if (i + 1 < n && r[i + 1].key == r[i].key) continue;
        out->threshold[k] = key_score(r[i].key);
        out->tp[k] = out->n_pos;
        out->fp[k++] = out->n_neg;
    }
    out->n = steps;
end:
    free(r);
    if (rc != GRN_OK) grn_curve_points_clear(out);
    return rc;
}

void grn_curve_points_thin(grn_curve_points_t *p, size_t max)
{
    size_t k = 0;
    double step, total, pos = 0;
    if (max < 2 || p->n <= max) return;
    /* length along the curve: half recall, half false positive rate, so that both ends of both plots keep their points */
    total =
        (double)p->tp[p->n - 1] / (double)(p->n_pos ? p->n_pos : 1) + (double)p->fp[p->n - 1] / (double)(p->n_neg ? p->n_neg : 1);
    step = total / (double)(max - 1);
    for (size_t i = 0; i < p->n; i++) {
        double here = (double)p->tp[i] / (double)(p->n_pos ? p->n_pos : 1) + (double)p->fp[i] / (double)(p->n_neg ? p->n_neg : 1);
        if (i > 0 && i + 1 < p->n && (here < pos || k + 1 >= max)) continue;
        p->threshold[k] = p->threshold[i];
        p->tp[k] = p->tp[i];
        p->fp[k++] = p->fp[i];
        while (pos <= here) pos += step;
    }
    p->n = k;
}

/* Poisson(1) from 64 random bits by inversion: count of cumulative probabilities (times 2^64) that the bits reach. The tail above
 * 12 has probability 6e-11 and is counted as 13. */
static uint8_t poisson1(uint64_t bits)
{
    static const double cum[13] = { 0.36787944117144233, 0.73575888234288467, 0.91969860292860584, 0.98101184312384615,
                                    0.99634015317265626, 0.99940581518241833, 0.99991675885071201, 0.99998975080332542,
                                    0.99999887479740209, 0.99999988857452172, 0.99999998995223362, 0.99999999916838989,
                                    0.99999999993640290 };
    double u = (double)(bits >> 11) * 0x1p-53;
    uint8_t k = 0;
    while (k < 13 && u >= cum[k]) k++;
    return k;
}

/* Bits of object `key` in a replicate: the replicate's key and the object's, mixed by the SplitMix64 finaliser (Steele 2014). */
static uint64_t mix(uint64_t rep_key, uint64_t key)
{
    uint64_t z = rep_key + key * 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

typedef struct {
    const ranked_t *r;
    const uint8_t *label;
    const uint64_t *key;
    size_t n;
    uint64_t seed;
    grn_curve_t *rep;
} boot_t;

static grn_status boot_chunk(void *ctx, size_t begin, size_t end, int worker)
{
    boot_t *b = ctx;
    uint8_t *w = NULL;
    (void)worker;
    if (!(w = grn_malloc(b->n, 1))) return GRN_ENOMEM;
    for (size_t rep = begin; rep < end; rep++) {
        uint64_t rep_key = grn_rng_key(b->seed, "curve.bootstrap", rep, 0);
        for (size_t i = 0; i < b->n; i++) w[i] = poisson1(mix(rep_key, b->key ? b->key[i] : i));
        score_ranked(b->r, b->label, w, b->n, &b->rep[rep]);
    }
    free(w);
    return GRN_OK;
}

static int compare_double(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Percentile limits (type 7) of the defined values among v[0..n); v is reordered. */
static void limits(double *v, size_t n, double level, double *lo, double *hi)
{
    size_t m = 0;
    *lo = *hi = NAN;
    for (size_t i = 0; i < n; i++)
        if (isfinite(v[i])) v[m++] = v[i];
    if (m == 0) return;
    qsort(v, m, sizeof *v, compare_double);
    for (int side = 0; side < 2; side++) {
        double h = (double)(m - 1) * (side ? (1 + level) / 2 : (1 - level) / 2);
        size_t k = (size_t)h;
        *(side ? hi : lo) = k + 1 < m ? v[k] + (h - (double)k) * (v[k + 1] - v[k]) : v[m - 1];
    }
}

grn_status grn_curve_bootstrap(const double *score, const uint8_t *label, const uint64_t *key, size_t n, size_t n_rep,
                               double level, uint64_t seed, grn_par_t *pool, grn_curve_ci_t *out)
{
    grn_status rc = GRN_OK;
    ranked_t *r = NULL;
    double *v = NULL;
    boot_t b = { NULL, label, key, n, seed, NULL };
    const size_t n_field = sizeof(grn_curve_t) / sizeof(double);
    memset(out, 0, sizeof *out);
    if (!(level > 0 && level < 1)) GRN_FAIL(GRN_EINVAL, "confidence level %g is not between 0 and 1", level);
    GRN_TRY(rank_items(score, n, &r));
    GRN_TRY(GRN_NEW(b.rep, n_rep));
    GRN_TRY(GRN_NEW(v, n_rep));
    b.r = r;
    GRN_TRY(grn_par_for(pool, n_rep, 1, boot_chunk, &b));
    for (size_t f = 0; f < n_field; f++) { /* grn_curve_t is an array of doubles */
        for (size_t i = 0; i < n_rep; i++) v[i] = ((const double *)&b.rep[i])[f];
        limits(v, n_rep, level, (double *)&out->lo + f, (double *)&out->hi + f);
    }
    out->n_rep = n_rep;
end:
    free(r);
    free(b.rep);
    free(v);
    return rc;
}

grn_status grn_curve_mean_ci(const double *x, const uint64_t *key, size_t n, size_t n_rep, double level, uint64_t seed,
                             double *mean, double *lo, double *hi)
{
    grn_status rc = GRN_OK;
    double *v = NULL, sum = 0;
    size_t n_key = n;
    *mean = *lo = *hi = NAN;
    if (!(level > 0 && level < 1)) GRN_FAIL(GRN_EINVAL, "confidence level %g is not between 0 and 1", level);
    for (size_t i = 0; i < n; i++) {
        if (!isfinite(x[i])) GRN_FAIL(GRN_ENONFINITE, "value %zu is not a finite number", i);
        sum += x[i];
    }
    if (n > 0) *mean = sum / (double)n;
    if (key)
        for (n_key = n > 0; n_key < n && key[n_key] == key[0]; n_key++) {}
    if (n < 2 || (key && n_key == n)) goto end;
    GRN_TRY(GRN_NEW(v, n_rep));
    for (size_t rep = 0; rep < n_rep; rep++) {
        double total = 0, count = 0;
        uint64_t rep_key = grn_rng_key(seed, "curve.mean", rep, 0);
        for (size_t i = 0; i < n; i++) {
            double w = poisson1(mix(rep_key, key ? key[i] : i));
            total += w * x[i];
            count += w;
        }
        v[rep] = count > 0 ? total / count : NAN;
    }
    limits(v, n_rep, level, lo, hi);
end:
    free(v);
    return rc;
}
