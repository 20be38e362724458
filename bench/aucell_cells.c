/* Input of aucell.sh: counts of cells of 12 types (negative binomial, theta 1.5, log-normal gene means and depths; about one value in
 * eight is not zero) as a container, and gene sets of 50 to 500 genes, half of them genes of one type. Or a low-rank model of random
 * topics and sets of regions. usage: aucell_cells counts DIR CELLS GENES SETS | lowrank DIR CELLS REGIONS SETS TOPICS */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/rng.h"
#include "io/lowrank.h"
#include "io/matrix.h"

#define THETA 1.5
enum { TYPES = 12, DEPTHS = 32, BLOCK = 1000 };

static const char *dir;
static uint64_t n_cells, n_cols, n_sets, n_topics;

/* Probability of zero and the ratio of the recursion p(k + 1) = p(k) q (k + theta) / (k + 1). */
typedef struct {
    float p0, q;
} nb_t;

/* (type, depth, gene) */
static void fill(nb_t *nb, uint8_t *up)
{
    for (uint64_t g = 0; g < n_cols; g++) {
        grn_rng_t r;
        grn_rng_init(&r, 1, "bench.gene", g);
        double base = exp(1.75 * grn_rng_normal(&r) - 3.05);
        up[g] = (uint8_t)grn_rng_below(&r, TYPES);
        for (uint64_t t = 0; t < TYPES; t++)
            for (uint64_t d = 0; d < DEPTHS; d++) {
                double depth = exp(0.3 * 4 * ((double)d / (DEPTHS - 1) - 0.5)), mean = base * depth * (t == up[g] ? 4 : 1);
                nb[(t * DEPTHS + d) * n_cols + g] = (nb_t){ (float)pow(1 + mean / THETA, -THETA), (float)(mean / (mean + THETA)) };
            }
    }
}

static uint64_t add_cell(const nb_t *nb, uint64_t cell, uint64_t n, grn_matrix_t *b)
{
    grn_rng_t r;
    grn_rng_init(&r, 1, "bench.cell", cell);
    double z = grn_rng_normal(&r);
    uint64_t d = (uint64_t)(fmin(fmax((z + 2) / 4, 0), 1) * (DEPTHS - 1));
    nb += ((cell * TYPES / n_cells) * DEPTHS + d) * n_cols;
    for (uint32_t g = 0; g < n_cols; g++) {
        float u = (float)grn_rng_u32(&r) * 0x1p-32f, p = nb[g].p0;
        if (u < p) continue;
        uint32_t k = 0;
        while (u >= p && k < 2000) {
            u -= p;
            p *= nb[g].q * ((float)k + (float)THETA) / (float)(k + 1);
            k++;
        }
        b->indices[n] = g;
        b->data[n++] = (float)k;
    }
    return n;
}

static void name_of(const char *form, uint64_t i, char *name, size_t cap)
{
    unsigned long long at = i * 1000;
    if (strchr(form, ':')) snprintf(name, cap, form, (int)(i % 22 + 1), at, at + 500);
    else snprintf(name, cap, form, (unsigned long long)i);
}

static grn_status names(grn_names_t *out, const char *form, uint64_t from, uint64_t n)
{
    grn_status rc = GRN_OK;
    char name[64];
    for (uint64_t i = from; i < from + n && !rc; i++) {
        name_of(form, i, name, sizeof name);
        rc = grn_names_add(out, name, NULL, NULL);
    }
    return rc;
}

static grn_status write_counts(const nb_t *nb, grn_par_t *pool)
{
    grn_status rc = GRN_OK;
    grn_mw_t *w = NULL;
    grn_matrix_t b = { .n_cols = n_cols, .n_rows = BLOCK };
    grn_names_t genes = { 0 };
    char path[4096];
    snprintf(path, sizeof path, "%s/counts.tensor.zst", dir);
    GRN_TRY(names(&genes, "GENE%05llu", 0, n_cols));
    GRN_TRY(grn_mw_open(&w, path, &genes, NULL, 0, pool));
    GRN_TRY(GRN_NEW(b.indptr, BLOCK + 1));
    GRN_TRY(GRN_NEW_RAW(b.indices, BLOCK * n_cols));
    GRN_TRY(GRN_NEW_RAW(b.data, BLOCK * n_cols));
    for (uint64_t cell = 0; cell < n_cells; cell += b.n_rows) {
        b.n_rows = n_cells - cell < BLOCK ? n_cells - cell : BLOCK;
        grn_names_clear(&b.row);
        GRN_TRY(names(&b.row, "CELL%08llu", cell, b.n_rows));
        for (uint64_t i = 0; i < b.n_rows; i++) b.indptr[i + 1] = add_cell(nb, cell + i, b.indptr[i], &b);
        GRN_TRY(grn_mw_append(w, &b));
    }
    rc = grn_mw_commit(w);
    w = NULL;
end:
    grn_mw_abort(w);
    grn_matrix_clear(&b);
    grn_names_clear(&genes);
    return rc;
}

/* Sets of columns as a GMT, their sizes log-uniform; `up` not NULL: half of each are columns of one type. */
static grn_status write_sets(const char *form, const uint8_t *up, uint64_t smallest, uint64_t largest)
{
    grn_status rc = GRN_OK;
    grn_out_t *o = NULL;
    uint8_t *in = NULL;
    char path[4096];
    uint64_t total = 0;
    snprintf(path, sizeof path, "%s/sets.gmt", dir);
    GRN_TRY(GRN_NEW(in, n_cols));
    GRN_TRY(grn_out_open(&o, path, 0));
    for (uint64_t s = 0; s < n_sets; s++) {
        grn_rng_t r;
        grn_rng_init(&r, 1, "bench.set", s);
        uint64_t n = (uint64_t)((double)smallest * pow((double)largest / (double)smallest, grn_rng_unif(&r))), type = s % TYPES;
        memset(in, 0, n_cols);
        GRN_TRY(grn_out_printf(o, "SET%04llu\tbench", (unsigned long long)s));
        for (uint64_t k = 0; k < n;) {
            char name[64];
            uint64_t g = grn_rng_below(&r, n_cols);
            if (in[g] || (up && k < n / 2 && up[g] != type)) continue;
            in[g] = 1;
            k++;
            name_of(form, g, name, sizeof name);
            GRN_TRY(grn_out_printf(o, "\t%s", name));
        }
        GRN_TRY(grn_out_puts(o, "\n"));
        total += n;
    }
    printf("%llu memberships\n", (unsigned long long)total);
    rc = grn_out_commit(o);
    o = NULL;
end:
    grn_out_abort(o);
    free(in);
    return rc;
}

/* Topic shares of cells and regions: few large ones each. */
static grn_status write_lowrank(grn_par_t *pool)
{
    grn_status rc = GRN_OK;
    grn_lowrank_t l = { .C = n_cells, .R = n_cols, .K = n_topics };
    char path[4096];
    snprintf(path, sizeof path, "%s/topics.tensor.zst", dir);
    GRN_TRY(GRN_NEW(l.theta, l.C * l.K));
    GRN_TRY(GRN_NEW(l.phi, l.R * l.K));
    GRN_TRY(names(&l.cell, "CELL%08llu", 0, l.C));
    GRN_TRY(names(&l.region, "chr%d:%llu-%llu", 0, l.R));
    GRN_TRY(names(&l.topic, "Topic_%llu", 1, l.K));
    if (!(l.method = strdup("lda"))) GRN_FAIL(GRN_ENOMEM, "out of memory");
    for (int side = 0; side < 2; side++)
        for (uint64_t i = 0; i < (side ? l.R : l.C); i++) {
            grn_rng_t r;
            float *x = (side ? l.phi : l.theta) + i * l.K, sum = 0;
            grn_rng_init(&r, 1, side ? "bench.phi" : "bench.theta", i);
            for (uint64_t k = 0; k < l.K; k++) sum += x[k] = (float)grn_rng_gamma(&r, 0.2) + 1e-4f;
            for (uint64_t k = 0; k < l.K; k++) x[k] /= side ? (float)l.R : sum;
        }
    rc = grn_lowrank_save(&l, path, NULL, 0, pool);
end:
    grn_lowrank_clear(&l);
    return rc;
}

int main(int argc, char **argv)
{
    grn_par_t *pool = NULL;
    int low = argc == 7 && !strcmp(argv[1], "lowrank");
    if (!low && !(argc == 6 && !strcmp(argv[1], "counts"))) return 2;
    dir = argv[2];
    n_cells = strtoull(argv[3], NULL, 10);
    n_cols = strtoull(argv[4], NULL, 10);
    n_sets = strtoull(argv[5], NULL, 10);
    n_topics = low ? strtoull(argv[6], NULL, 10) : 0;
    grn_status rc = grn_par_create(&pool, 2);
    if (low) {
        if (!rc) rc = write_lowrank(pool);
        if (!rc) rc = write_sets("chr%d:%llu-%llu", NULL, 200, 5000);
    } else {
        nb_t *nb = malloc(TYPES * DEPTHS * n_cols * sizeof *nb);
        uint8_t *up = malloc(n_cols);
        if (!nb || !up) return 1;
        fill(nb, up);
        if (!rc) rc = write_counts(nb, pool);
        if (!rc) rc = write_sets("GENE%05llu", up, 50, 500);
        free(nb);
        free(up);
    }
    grn_par_destroy(pool);
    if (rc) fprintf(stderr, "%s\n", grn_err_msg());
    return rc != GRN_OK;
}
