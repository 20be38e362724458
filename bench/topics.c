/* The topic sampler measured: a corpus of given size, our sampler on it, and an exact sequential collapsed Gibbs sampler for
 * comparison. Run by topics.sh.
 *   topics sim CELLS REGIONS PER_CELL TYPES FILE     topics fit FILE K SWEEPS THREADS [SEED]     topics exact FILE K SWEEPS [SEED] */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../tools/grn-build/lda.h"
#include "base/mem.h"
#include "base/rng.h"

static double now(clockid_t which)
{
    struct timespec t;
    clock_gettime(which, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* ---- a corpus: every region has a basal rate and a factor per cell type, both log-normal; a cell mixes its type with others ---- */

enum { ROWS = 500 };

static grn_status sim(size_t C, size_t R, double per_cell, size_t types, const char *path, grn_par_t *pool)
{
    grn_status rc = GRN_OK;
    float *rate = NULL, *w = NULL;
    grn_names_t col = { 0 };
    grn_mw_t *out = NULL;
    grn_attrs_t none = { 0 };
    grn_rng_t g;
    char name[64];
    GRN_TRY(GRN_NEW(rate, R * types));
    GRN_TRY(GRN_NEW(w, R));
    for (size_t r = 0; r < R; r++) {
        snprintf(name, sizeof name, "chr1:%zu-%zu", 1000 * r, 1000 * r + 500);
        GRN_TRY(grn_names_add(&col, name, NULL, NULL));
        grn_rng_init(&g, 1, "bench.topics.region", r);
        double base = exp(1.0 * grn_rng_normal(&g));
        for (size_t t = 0; t < types; t++) rate[r * types + t] = (float)(base * exp(1.0 * grn_rng_normal(&g)));
    }
    GRN_TRY(grn_mw_open(&out, path, &col, &none, 0, pool));
    for (size_t c0 = 0; c0 < C; c0 += ROWS) {
        grn_matrix_t m = { .n_cols = R, .n_rows = C - c0 < ROWS ? C - c0 : ROWS };
        size_t cap = 0, n = 0;
        float *data = NULL;
        GRN_TRY(GRN_NEW(m.indptr, m.n_rows + 1));
        for (size_t i = 0; i < m.n_rows; i++) {
            double sum = 0, mix[256];
            snprintf(name, sizeof name, "cell%07zu-1", c0 + i);
            GRN_TRY(grn_names_add(&m.row, name, NULL, NULL));
            grn_rng_init(&g, 1, "bench.topics.cell", c0 + i);
            size_t type = grn_rng_below(&g, types);
            for (size_t t = 0; t < types; t++) mix[t] = (t == type ? 4 : 0) + 0.2 * grn_rng_gamma(&g, 0.3);
            for (size_t r = 0; r < R; r++) {
                double x = 0;
                for (size_t t = 0; t < types; t++) x += mix[t] * (double)rate[r * types + t];
                sum += w[r] = (float)x;
            }
            double depth = per_cell * exp(0.3 * grn_rng_normal(&g) - 0.045) * 1.15;
            for (size_t r = 0; r < R; r++) {
                double p = -expm1(-depth * (double)w[r] / sum);
                if ((double)grn_rng_u32(&g) >= p * 4294967296.0) continue;
                GRN_TRY(GRN_GROW(m.indices, cap, n + 1));
                m.indices[n++] = (uint32_t)r;
            }
            m.indptr[i + 1] = n;
        }
        GRN_TRY(GRN_NEW(data, n));
        for (size_t k = 0; k < n; k++) data[k] = 1;
        m.data = data;
        GRN_TRY(grn_mw_append(out, &m));
        grn_matrix_clear(&m);
    }
    rc = grn_mw_commit(out);
    out = NULL;
end:
    grn_mw_abort(out);
    free(rate);
    free(w);
    grn_names_clear(&col);
    return rc;
}

/* ---- the reference: tokens in order, one at a time, every count up to date (Griffiths & Steyvers 2004) ---- */

static double exact_loglik(size_t C, size_t R, uint32_t K, const uint32_t *nd, const uint32_t *nw, const uint64_t *nk, double alpha,
                           double eta)
{
    double ll = K * lgamma((double)R * eta) + (double)C * (lgamma(alpha) - K * lgamma(alpha / K));
    double *lg = malloc((C + 1) * sizeof *lg);
    for (size_t i = 0; i <= C; i++) lg[i] = lgamma((double)i + eta) - lgamma(eta);
    for (uint32_t k = 0; k < K; k++) ll -= lgamma((double)nk[k] + (double)R * eta);
    for (size_t i = 0; i < R * K; i++) ll += lg[nw[i]];
    free(lg);
    for (size_t c = 0; c < C; c++) {
        uint64_t n = 0;
        for (uint32_t k = 0; k < K; k++) {
            n += nd[c * K + k];
            ll += lgamma(nd[c * K + k] + alpha / K);
        }
        ll -= lgamma((double)n + alpha);
    }
    return ll;
}

static grn_status exact(const grn_corpus_t *c, uint32_t K, uint32_t sweeps, uint64_t seed)
{
    grn_status rc = GRN_OK;
    const double alpha = 50, eta = 0.1, a = alpha / K;
    uint32_t *nd = NULL, *nw = NULL, *word = NULL;
    uint16_t *z = NULL;
    uint64_t *nk = NULL, at = 0;
    double *p = NULL;
    grn_rng_t g;
    GRN_TRY(GRN_NEW(nd, c->C * K));
    GRN_TRY(GRN_NEW(nw, c->R * K));
    GRN_TRY(GRN_NEW(nk, K));
    GRN_TRY(GRN_NEW(p, K));
    GRN_TRY(GRN_NEW(z, c->n_tokens));
    GRN_TRY(GRN_NEW(word, c->n_tokens));
    grn_rng_init(&g, seed, "bench.topics.exact", 0);
    for (size_t i = 0; i < c->C; i++)
        for (size_t b = 0; b < c->n_blocks; b++) {
            uint32_t n;
            const uint16_t *t = grn_corpus_run(c, b, i, &n);
            for (uint32_t j = 0; j < n; j++, at++) {
                word[at] = (uint32_t)(b * GRN_CORPUS_BLOCK + (t[j] & GRN_CORPUS_REGION));
                z[at] = (uint16_t)grn_rng_below(&g, K);
                nd[i * K + z[at]]++, nw[(size_t)word[at] * K + z[at]]++, nk[z[at]]++;
            }
        }
    for (uint32_t s = 1; s <= sweeps; s++) {
        double from = now(CLOCK_PROCESS_CPUTIME_ID);
        at = 0;
        for (size_t i = 0; i < c->C; i++)
            for (uint32_t j = 0; j < c->cell_n[i]; j++, at++) {
                uint32_t *d = nd + i * K, *w = nw + (size_t)word[at] * K, k;
                double sum = 0;
                d[z[at]]--, w[z[at]]--, nk[z[at]]--;
                for (k = 0; k < K; k++) p[k] = sum += (w[k] + eta) / ((double)nk[k] + (double)c->R * eta) * (d[k] + a);
                double u = grn_rng_unif(&g) * sum;
                for (k = 0; k + 1 < K && p[k] <= u; k++) {}
                z[at] = (uint16_t)k;
                d[k]++, w[k]++, nk[k]++;
            }
        double cpu = now(CLOCK_PROCESS_CPUTIME_ID) - from;
        printf("exact\t%u\t%.8g\t%.3g\n", s, exact_loglik(c->C, c->R, K, nd, nw, nk, alpha, eta), (double)c->n_tokens / cpu / 1e6);
        fflush(stdout);
    }
end:
    free(nd);
    free(nw);
    free(nk);
    free(p);
    free(z);
    free(word);
    return rc;
}

static grn_status fit(const grn_corpus_t *c, uint32_t K, uint32_t sweeps, uint64_t seed, grn_par_t *pool)
{
    grn_lda_opt_t o = GRN_LDA_OPT_INIT;
    grn_lda_t m = { 0 };
    o.K = K, o.sweeps = sweeps, o.average = sweeps < 20 ? sweeps : 20, o.seed = seed;
    double cpu = now(CLOCK_PROCESS_CPUTIME_ID), wall = now(CLOCK_MONOTONIC);
    grn_status rc = grn_lda_fit(c, &o, pool, &m);
    cpu = now(CLOCK_PROCESS_CPUTIME_ID) - cpu, wall = now(CLOCK_MONOTONIC) - wall;
    for (uint32_t s = 0; !rc && s < sweeps; s++) printf("fit\t%u\t%.8g\n", s + 1, m.loglik[s]);
    if (!rc)
        printf("fit: %llu tokens x %u sweeps, K %u: %.2f s wall, %.2f s CPU, %.1f M tokens/s of wall, %.1f of CPU\n",
               (unsigned long long)c->n_tokens, sweeps, K, wall, cpu, (double)c->n_tokens * sweeps / wall / 1e6, (double)c->n_tokens * sweeps / cpu / 1e6);
    grn_lda_clear(&m);
    return rc;
}

int main(int argc, char **argv)
{
    grn_status rc = GRN_EUSAGE;
    grn_par_t *pool = NULL;
    grn_corpus_t c = { 0 };
    grn_counts_opt_t opt = GRN_COUNTS_OPT_INIT;
    if (argc >= 7 && !strcmp(argv[1], "sim")) {
        rc = grn_par_create(&pool, 2);
        if (!rc) rc = sim(strtoul(argv[2], 0, 10), strtoul(argv[3], 0, 10), strtod(argv[4], 0), strtoul(argv[5], 0, 10), argv[6], pool);
    } else if (argc >= 5) {
        int is_fit = !strcmp(argv[1], "fit");
        uint64_t seed = argc > 5 + is_fit ? strtoul(argv[5 + is_fit], 0, 10) : 1;
        uint32_t K = (uint32_t)strtoul(argv[3], 0, 10), sweeps = (uint32_t)strtoul(argv[4], 0, 10);
        rc = grn_par_create(&pool, is_fit && argc > 5 ? (int)strtol(argv[5], 0, 10) : 1);
        if (!rc) rc = grn_corpus_load(argv[2], &opt, 0, 1, pool, &c);
        if (!rc) rc = is_fit ? fit(&c, K, sweeps, seed, pool) : exact(&c, K, sweeps, seed);
    }
    if (rc) fprintf(stderr, "topics: %s\n", rc == GRN_EUSAGE ? "see the head of topics.c" : grn_err_msg());
    grn_corpus_clear(&c);
    grn_par_destroy(pool);
    return rc != GRN_OK;
}
