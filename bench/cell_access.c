/* An activity file of many cells, and edges for it. usage: cell_access FOLDER CELLS REGULONS CONTEXTS EDGES [posterior]
 * Writes active.tensor.zst, old.tensor.zst (the same without index, in frames of 4 MiB: as files were before), edges.edges.zst,
 * cells.tsv (barcode, group, donor; group b has the contexts in other shares, and one regulon in ten twice as often on). Run by
 * cell_access.sh. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"
#include "base/rng.h"
#include "io/activity.h"
#include "io/activity_read.h"
#include "io/container.h"
#include "io/edges.h"

enum { DONORS = 8 };

static void barcode(uint64_t i, char s[32])
{
    uint32_t x = (uint32_t)i * 2654435761u; /* odd, and the next step too can be undone: no two are the same */
    x ^= x >> 15;
    for (int k = 0; k < 16; k++) s[k] = "ACGT"[x >> (2 * k) & 3];
    snprintf(s + 16, 16, "-%u", (unsigned)(i / 100000 + 1));
}

static grn_status fill_cells(grn_activity_t *a, FILE *labels)
{
    grn_status rc = GRN_OK;
    char s[32];
    GRN_TRY(GRN_NEW(a->bits, a->n_cells * a->n_words));
    GRN_TRY(GRN_NEW(a->context, a->n_cells));
    fprintf(labels, "barcode\tgroup\tdonor\n");
    for (uint64_t i = 0; i < a->n_cells; i++) {
        grn_rng_t r;
        barcode(i, s);
        grn_rng_init(&r, 1, "bench.cell_access", i);
        int donor = (int)grn_rng_below(&r, DONORS), is_b = donor >= DONORS / 2;
        uint64_t c = grn_rng_below(&r, a->contexts.n);
        if (is_b && grn_rng_unif(&r) < 0.3) c = 0;
        a->context[i] = (uint16_t)c;
        for (uint64_t k = 0; k < a->n_regulons; k++) {
            double p = 0.02 + 0.3 * (double)(grn_rng_mix(k * 1000 + c) % 1000) / 1000;
            if (is_b && k % 10 == 0) p *= 2;
            if (k % 10 == 5) p *= 0.5 + (double)(grn_rng_mix(k * 100 + (uint64_t)donor) % 1000) / 1000;
            if (grn_rng_unif(&r) < p) grn_activity_set(a, i, k);
        }
        GRN_TRY(grn_names_add(&a->cells, s, NULL, NULL));
        fprintf(labels, "%s\t%c\tD%d\n", s, is_b ? 'b' : 'a', donor + 1);
    }
end:
    return rc;
}

static grn_status fill_posterior(grn_activity_t *a)
{
    if (GRN_NEW_RAW(a->posterior, a->n_cells * a->n_regulons)) return GRN_ENOMEM;
    for (uint64_t i = 0; i < a->n_cells * a->n_regulons; i++) a->posterior[i] = (float)(grn_rng_mix(i) >> 40) / (float)(1 << 24);
    return GRN_OK;
}

static grn_status save_old(const grn_activity_t *a, const char *path)
{
    grn_status rc;
    grn_cw_t *w = NULL;
    uint64_t shape[2] = { a->n_cells, a->n_words }, full[2] = { a->n_cells, a->n_regulons };
    GRN_TRY(grn_cw_open(&w, path, "grn.activity/1", NULL));
    GRN_TRY(grn_cw_tensor(w, "bits", GRN_U64, 2, shape, a->bits));
    GRN_TRY(grn_cw_vec(w, "context", GRN_U16, a->n_cells, a->context));
    if (a->posterior) GRN_TRY(grn_cw_tensor(w, "posterior", GRN_F32, 2, full, a->posterior));
    GRN_TRY(grn_cw_names(w, "names.cell", &a->cells));
    GRN_TRY(grn_cw_names(w, "names.regulon", &a->regulons));
    GRN_TRY(grn_cw_names(w, "names.context", &a->contexts));
    rc = grn_cw_commit(w);
    w = NULL;
end:
    grn_cw_abort(w);
    return rc;
}

/* Regulons of the same size, each edge in about half of the contexts, with regions and three kinds of evidence. */
static grn_status save_edges(const grn_activity_t *a, size_t n, const char *path)
{
    static const char *const evidence[] = { "importance_tg", "rho_rg", "distance" };
    grn_status rc = GRN_OK;
    grn_edges_t e = { 0 };
    float *v;
    char s[64];
    size_t id;
    GRN_TRY(grn_edges_alloc(&e, n, "tf,gene,region,regulon,context,sign,weight"));
    for (size_t g = 0; g < 20000; g++) {
        snprintf(s, sizeof s, "GENE%05zu", g);
        GRN_TRY(grn_names_add(&e.genes, s, NULL, NULL));
    }
    GRN_TRY(grn_names_dup(&e.regulons, &a->regulons));
    GRN_TRY(grn_names_dup(&e.contexts, &a->contexts));
    for (size_t i = 0; i < n; i++) {
        size_t one = grn_rng_mix(i / ((a->contexts.n + 1) / 2)) % (n / 4 + 1); /* in several contexts */
        e.context[i] = (uint16_t)(i % a->contexts.n);
        e.regulon[i] = (uint32_t)(one % a->regulons.n);
        e.tf[i] = e.regulon[i];
        e.gene[i] = (uint32_t)(grn_rng_mix(one) % 20000);
        snprintf(s, sizeof s, "chr%zu:%zu-%zu", one % 22 + 1, one * 700, one * 700 + 500);
        GRN_TRY(grn_names_add(&e.regions, s, &id, NULL));
        e.region[i] = (uint32_t)id;
        e.sign[i] = 1;
        e.weight[i] = (float)(grn_rng_mix(one + 7) >> 40) / (float)(1 << 24);
    }
    for (int k = 0; k < 3; k++) {
        GRN_TRY(grn_edges_evidence(&e, evidence[k], &v));
        for (size_t i = 0; i < n; i++) v[i] = (float)(grn_rng_mix(i * 3 + (size_t)k) >> 40) / (float)(1 << 24);
    }
    GRN_TRY(grn_edges_sort(&e));
    GRN_TRY(grn_edges_save(&e, path, NULL, NULL));
end:
    grn_edges_clear(&e);
    return rc;
}

static double now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return 1e3 * (double)t.tv_sec + 1e-6 * (double)t.tv_nsec;
}

static grn_status find(const char *path)
{
    enum { MORE = 1000 };
    grn_status rc = GRN_OK;
    grn_ar_t *r = NULL;
    uint64_t bits[64], row;
    uint16_t context;
    char s[32];
    double t[4] = { now_ms() };
    GRN_TRY(grn_ar_open(&r, path, NULL));
    t[1] = now_ms();
    uint64_t n = grn_ar_info(r)->n_cells;
    if (grn_ar_info(r)->n_words > 64) GRN_FAIL(GRN_EUNSUP, "at most 4,096 regulons here");
    for (uint64_t k = 0; k <= MORE; k++) {
        uint64_t want = grn_rng_mix(k + 1) % n;
        barcode(want, s);
        GRN_TRY(grn_ar_find(r, s, &row));
        if (row != want) GRN_FAIL(GRN_EFORMAT, "'%s' is cell %llu, found %llu", s, (unsigned long long)want, (unsigned long long)row);
        GRN_TRY(grn_ar_rows(r, row, 1, bits, &context));
        if (k == 0) t[2] = now_ms();
    }
    t[3] = now_ms();
    printf("CPU: opened in %.2f ms, one cell in %.2f ms, each of %d more in %.3f ms\n", t[1] - t[0], t[2] - t[1], MORE,
           (t[3] - t[2]) / MORE);
end:
    grn_ar_close(r);
    return rc;
}

int main(int argc, char **argv)
{
    grn_status rc = GRN_OK;
    grn_activity_t a = { 0 };
    char path[4096], s[64];
    FILE *labels = NULL;
    if (argc == 3 && strcmp(argv[1], "find") == 0) {
        rc = find(argv[2]);
        goto end;
    }
    if (argc < 6) return 2;
    a.n_cells = strtoull(argv[2], NULL, 10);
    a.n_regulons = strtoull(argv[3], NULL, 10);
    a.n_words = (a.n_regulons + 63) / 64;
    for (uint64_t k = 0; k < a.n_regulons; k++) {
        snprintf(s, sizeof s, "GENE%05llu_+/+", (unsigned long long)k);
        GRN_TRY(grn_names_add(&a.regulons, s, NULL, NULL));
    }
    for (uint64_t k = 0, n = strtoull(argv[4], NULL, 10); k < n; k++) {
        snprintf(s, sizeof s, "type%02llu", (unsigned long long)k);
        GRN_TRY(grn_names_add(&a.contexts, s, NULL, NULL));
    }
    snprintf(path, sizeof path, "%s/cells.tsv", argv[1]);
    if (!(labels = fopen(path, "w"))) GRN_FAIL(GRN_EIO, "cannot write '%s'", path);
    GRN_TRY(fill_cells(&a, labels));
    if (argc > 6) GRN_TRY(fill_posterior(&a));
    snprintf(path, sizeof path, "%s/active.tensor.zst", argv[1]);
    GRN_TRY(grn_activity_save(&a, path, NULL));
    snprintf(path, sizeof path, "%s/old.tensor.zst", argv[1]);
    GRN_TRY(save_old(&a, path));
    snprintf(path, sizeof path, "%s/edges.edges.zst", argv[1]);
    GRN_TRY(save_edges(&a, strtoull(argv[5], NULL, 10), path));
end:
    if (labels && fclose(labels) && !rc) rc = GRN_EIO;
    if (rc) fprintf(stderr, "%s\n", grn_err_msg());
    grn_activity_clear(&a);
    return rc ? 1 : 0;
}
