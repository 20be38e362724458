/* grn-build regulon --method gsea on links and cistromes made by hand: binarisations, leading edges, merging, signs, extended
 * cistromes, cell types, triplet ranks. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/log.h"
#include "base/opt.h"
#include "io/container.h"
#include "io/edges.h"
#include "stat/gsea.h"
#include "grn-build/ranking.h"
#include "grn-build/regulon_priv.h"

static char dir[] = "/tmp/grn-eregulons-XXXXXX";

static const char *at(const char *name)
{
    static char path[32][256];
    static int turn;
    char *p = path[turn++ % 32];
    snprintf(p, sizeof path[0], "%s/%s", dir, name);
    return p;
}

static void put(const char *name, const char *text)
{
    FILE *f = fopen(at(name), "w");
    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    assert_int_equal(fclose(f), 0);
}

static void near(double got, double want, double tol)
{
    if (!(fabs(got - want) <= tol)) fail_msg("got %.9g, want %.9g", got, want);
}

/* ---- files ---- */

typedef struct {
    const char *from, *to, *regulon;
    float value[3];
} row_t;

static uint32_t id(grn_names_t *d, const char *name)
{
    size_t k;
    assert_int_equal(grn_names_add(d, name, &k, NULL), GRN_OK);
    return (uint32_t)k;
}

/* Rows with the named evidence; columns "tf,gene", "region,gene" or "tf,region,regulon,context". */
static void save(const char *name, const char *columns, const char *const *evidence, const row_t *row, size_t n)
{
    grn_edges_t e = { 0 };
    static const char *const meta[] = { "motifs", "M1\nM2\n", NULL };
    float *v[3] = { 0 };
    assert_int_equal(grn_edges_alloc(&e, n, columns), GRN_OK);
    for (size_t k = 0; k < 3 && evidence[k]; k++) assert_int_equal(grn_edges_evidence(&e, evidence[k], &v[k]), GRN_OK);
    for (size_t i = 0; i < n; i++) {
        if (e.tf) e.tf[i] = id(&e.genes, row[i].from);
        if (e.gene) e.gene[i] = id(&e.genes, row[i].to);
        if (e.region) e.region[i] = id(&e.regions, e.tf ? row[i].to : row[i].from);
        if (e.regulon) e.regulon[i] = id(&e.regulons, row[i].regulon);
        for (size_t k = 0; k < 3 && v[k]; k++) v[k][i] = row[i].value[k];
    }
    if (e.context) id(&e.contexts, "set");
    assert_int_equal(grn_edges_sort(&e), GRN_OK);
    assert_int_equal(grn_edges_save(&e, at(name), meta, NULL), GRN_OK);
    grn_edges_clear(&e);
}

static const char *const tg_evidence[] = { "rho_tg", "importance_tg", NULL };
static const char *const rg_evidence[] = { "rho_sp_rg", "importance_rg", NULL };
static const char *const cis_evidence[] = { "nes", "motif", "log2fc" };

/* TF -> gene: five positive targets of weights 5 4 3 2 1, three negative ones of 5 3 1. TF3 has only four positive targets that
 * count: importance 0, r below the threshold and NaN do not. */
static const row_t tg[] = {
    { "TF1", "G1", 0, { .5F, 5 } },  { "TF1", "G2", 0, { .5F, 4 } },   { "TF1", "G3", 0, { .5F, 3 } },
    { "TF1", "G4", 0, { .5F, 2 } },  { "TF1", "G5", 0, { .5F, 1 } },   { "TF1", "G6", 0, { -.4F, 5 } },
    { "TF1", "G7", 0, { -.4F, 3 } }, { "TF1", "G8", 0, { -.4F, 1 } },  { "TF2", "G1", 0, { .5F, 5 } },
    { "TF2", "G2", 0, { .5F, 4 } },  { "TF2", "G3", 0, { .5F, 3 } },   { "TF2", "G4", 0, { .5F, 2 } },
    { "TF2", "G5", 0, { .5F, 1 } },  { "TF3", "G1", 0, { .5F, 8 } },   { "TF3", "G2", 0, { .5F, 7 } },
    { "TF3", "G3", 0, { .5F, 0 } },  { "TF3", "G4", 0, { .5F, 6 } },   { "TF3", "G5", 0, { .5F, 5 } },
    { "TF3", "G6", 0, { .02F, 99 } }, { "TF3", "G7", 0, { NAN, 99 } },
};
/* One region per gene, a second for G1 (less important) and one of negative r for G2. */
static const row_t rg[] = {
    { "chr1:100-200", "G1", 0, { .5F, .6F } },  { "chr1:150-250", "G1", 0, { .5F, .4F } }, { "chr1:200-300", "G2", 0, { .5F, 1 } },
    { "chr1:300-400", "G3", 0, { .5F, 1 } },    { "chr1:400-500", "G4", 0, { .5F, 1 } },   { "chr1:500-600", "G5", 0, { .5F, 1 } },
    { "chr1:600-700", "G6", 0, { .5F, 1 } },    { "chr1:700-800", "G7", 0, { .5F, 1 } },   { "chr1:800-900", "G8", 0, { .5F, 1 } },
    { "chr1:900-1000", "G2", 0, { -.5F, .5F } }, { "chr1:900-1000", "G1", 0, { -.5F, .5F } },
};
/* TF1: G1 (both regions) and G3; G6 and G7 below. TF2: G1, G2 and G5. TF1 extended: G1, G2; TF3 extended: G1, G2. */
static const row_t cistromes[] = {
    { "TF1", "chr1:100-200", "TF1_direct", { 4, 1, NAN } },     { "TF1", "chr1:150-250", "TF1_direct", { 3, 2, 1 } },
    { "TF1", "chr1:300-400", "TF1_direct", { NAN, 2, 1.5F } },  { "TF1", "chr1:600-700", "TF1_direct", { 5, 1, NAN } },
    { "TF1", "chr1:700-800", "TF1_direct", { 5, 1, NAN } },     { "TF2", "chr1:100-200", "TF2_direct", { 6, 2, NAN } },
    { "TF2", "chr1:200-300", "TF2_direct", { 6, 2, NAN } },     { "TF2", "chr1:500-600", "TF2_direct", { 6, 2, NAN } },
    { "TF1", "chr1:100-200", "TF1_extended", { 4, 1, NAN } },   { "TF1", "chr1:200-300", "TF1_extended", { 4, 1, NAN } },
    { "TF3", "chr1:100-200", "TF3_extended", { 4, 1, NAN } },   { "TF3", "chr1:200-300", "TF3_extended", { 4, 1, NAN } },
    { "TF3", "chr1:900-1000", "TF3_extended", { 4, 1, NAN } },  { "TF9", "chr1:100-200", "TF9_direct", { 4, 1, NAN } },
    { "TF1", "chr1:5000-5100", "TF1_direct", { 9, 1, NAN } },
};

#define COUNT(x) (sizeof(x) / sizeof *(x))

static int setup(void **state)
{
    (void)state;
    if (!mkdtemp(dir)) return 1;
    grn_log_init("test", 0);
    grn_common.seed = 1;
    save("tg.zst", "tf,gene", tg_evidence, tg, COUNT(tg));
    save("rg.zst", "region,gene", rg_evidence, rg, COUNT(rg));
    save("cis.zst", "tf,region,regulon,context", cis_evidence, cistromes, COUNT(cistromes));
    put("rna.tsv", "cell\tTF1\tTF2\tTF3\tG1\tG2\tG3\tG4\tG5\tG6\tG7\tG8\nc1\t1\t0\t1\t1\t1\t1\t1\t1\t1\t1\t1\n"
                   "c2\t1\t1\t1\t1\t1\t0\t1\t1\t1\t1\t1\n");
    put("atac.tsv", "cell\tchr1:100-200\tchr1:150-250\tchr1:200-300\tchr1:300-400\tchr1:400-500\tchr1:500-600\tchr1:600-700\t"
                    "chr1:700-800\tchr1:800-900\tchr1:900-1000\nc1\t1\t0\t1\t1\t1\t1\t1\t1\t1\t1\nc2\t1\t1\t1\t1\t1\t1\t1\t1\t1\t1\n");
    put("cells.tsv", "barcode\tcell_type\nc1\tx\nc2\ty\n");
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    char command[300];
    snprintf(command, sizeof command, "rm -r '%s'", dir);
    return system(command);
}

static grn_regulon_opt_t options(void)
{
    grn_regulon_opt_t o = GRN_REGULON_OPT_INIT;
    o.rna = at("rna.tsv");
    o.tf_gene = at("tg.zst");
    o.region_gene = at("rg.zst");
    o.cistromes = at("cis.zst");
    o.out = at("out.zst");
    o.method = GRN_REGULON_GSEA;
    o.all_types = 1;
    o.min_targets = 2;
    o.min_type_cells = 1;
    o.binarise = (grn_binarise_opt_t){ .top_regions = { 1, 2 }, .n_top_regions = 2 };
    return o;
}

static size_t edge(const grn_edges_t *e, const char *regulon, const char *region, const char *gene, const char *context)
{
    for (size_t i = 0; i < e->n; i++)
        if (strcmp(grn_names_get(&e->regulons, e->regulon[i]), regulon) == 0 &&
            strcmp(grn_names_get(&e->regions, e->region[i]), region) == 0 && strcmp(grn_names_get(&e->genes, e->gene[i]), gene) == 0 &&
            strcmp(grn_names_get(&e->contexts, e->context[i]), context) == 0)
            return i;
    return SIZE_MAX;
}

static double value(const grn_edges_t *e, const char *column, size_t row)
{
    const float *v = grn_edges_find_evidence(e, column);
    assert_non_null(v);
    assert_true(row < e->n);
    return (double)v[row];
}

static void run(const grn_regulon_opt_t *o, grn_edges_t *e)
{
    assert_int_equal(grn_regulon_run(o), GRN_OK);
    assert_int_equal(grn_edges_load(o->out, NULL, e), GRN_OK);
}

static int has_funnel(const char *text)
{
    grn_cr_t *r = NULL;
    assert_int_equal(grn_cr_open(&r, at("out.zst"), NULL), GRN_OK);
    int found = strstr(grn_cr_meta(r, "funnel"), text) != NULL;
    grn_cr_close(r);
    return found;
}

/* NES and p of an ES against the null that belongs to (seed, TF, sign, hits). */
static double nes_of(const char *tf, int negative, const double *w, size_t n, size_t h, double es, double *p)
{
    grn_gsea_null_t z = { 0 };
    double nes;
    uint32_t hits = (uint32_t)h;
    uint64_t object = grn_rng_key(0, "regulon.gsea", grn_hash_str(tf), (uint64_t)negative);
    assert_int_equal(grn_gsea_null(&z, w, n, &hits, 1, 1000, 1, object), GRN_OK);
    grn_gsea_test(&z, 0, es, &nes, p);
    grn_gsea_null_clear(&z);
    return nes;
}

/* ---- tests ---- */

/* Importances .1 .2 .3 .4: quantile .85 at h = 2.55 is .355. A gene with one region keeps nothing above a quantile. */
static void binarisations(void **state)
{
    (void)state;
    enum { N = 9 };
    /* rows 0-3: gene 0; 4: gene 1; 5-7: gene 2, a tie; 8: gene 0, other sign */
    uint32_t gene[N] = { 0, 0, 0, 0, 1, 2, 2, 2, 0 }, region[N] = { 0, 1, 2, 3, 0, 1, 2, 4, 5 };
    const float r[N] = { .5F, .5F, .5F, .5F, .5F, .5F, .5F, .5F, -.5F }, importance[N] = { .1F, .2F, .3F, .4F, 1, .7F, .7F, 0, .05F };
    uint8_t keep[N];
    memset(keep, 1, sizeof keep);
    grn_regulon_opt_t o = GRN_REGULON_OPT_INIT;
    o.binarise = (grn_binarise_opt_t){ .quantile = { .85 }, .n_quantile = 1, .top_regions = { 1, 5 }, .n_top_regions = 2, .basca = 1,
                                       .top_genes = { 1 }, .n_top_genes = 1 };
    static const uint32_t want[2][N] = {
        /* quantile 1, top one 2, top five 4, BASC 8, top gene of its region 16 */
        /* BASC of .1 .2 .3 .4: one step: {.1 .2} {.3 .4}; two, the first of equals: {.1} {.2} {.3 .4} with heights .1 and .15, errors
         * .09 and .05: 1.1 < 3. Both say .25. Of 0 .7 .7: .35 */
        { 4, 4, 4 | 8, 1 | 2 | 4 | 8 | 16, 2 | 4 | 8 | 16, 2 | 4 | 8 | 16, 2 | 4 | 8 | 16, 4 | 16, 2 | 4 | 8 | 16 },
        /* at least two regions: gene 0 has one above the quantile, in the top one and first in its region */
        { 4, 4, 4 | 8, 4 | 8, 0, 2 | 4 | 8 | 16, 2 | 4 | 8 | 16, 4 | 16, 0 }
    };
    for (int few = 0; few < 2; few++) {
        grn_regulon_t g = { .opt = &o, .r_rg = r, .imp_rg = importance, .n_genes = 3, .n_regions = 6 };
        o.binarise.min_regions = few ? 2 : 0;
        g.rg.n = N;
        assert_int_equal(grn_links_group(region, gene, keep, N, 6, &g.by_region), GRN_OK);
        assert_int_equal(grn_links_group(gene, region, keep, N, 3, &g.by_gene), GRN_OK);
        assert_int_equal(grn_regulon_binarise(&g), GRN_OK);
        for (size_t i = 0; i < N; i++)
            if (g.on[i] != want[few][i]) fail_msg("row %zu: %u, want %u", i, g.on[i], want[few][i]);
        grn_links_clear(&g.by_region);
        grn_links_clear(&g.by_gene);
        grn_funnel_clear(&g.funnel);
        free(g.on);
    }
}

static void eregulons_by_hand(void **state)
{
    (void)state;
    static const double w[] = { 5, 4, 3, 2, 1 }, down[] = { 5, 3, 1 }, w3[] = { 8, 7, 6, 5 };
    double p[4], nes[4];
    grn_edges_t e = { 0 };
    grn_regulon_opt_t o = options();
    run(&o, &e);
    /* TF1: hits 1 and 3 of 5, ES 2/3, both leading. TF2: hits 1, 2, 5: .5, .9, then down: G5 does not lead. TF1 down: hits 1 and 2
     * of 3, ES 1. TF3 extended: hits 1 and 2 of 4. The TF1_extended gives way to TF1. */
    assert_int_equal(e.n, 9);
    size_t a = edge(&e, "TF1_+/+", "chr1:100-200", "G1", "all"), b = edge(&e, "TF1_+/+", "chr1:150-250", "G1", "all"),
           c = edge(&e, "TF1_+/+", "chr1:300-400", "G3", "all"), d = edge(&e, "TF2_+/+", "chr1:100-200", "G1", "all"),
           f = edge(&e, "TF2_+/+", "chr1:200-300", "G2", "all"), h = edge(&e, "TF1_-/+", "chr1:600-700", "G6", "all"),
           i = edge(&e, "TF1_-/+", "chr1:700-800", "G7", "all"), j = edge(&e, "TF3_+/+", "chr1:100-200", "G1", "all"),
           k = edge(&e, "TF3_+/+", "chr1:200-300", "G2", "all");
    assert_true(a < 9 && b < 9 && c < 9 && d < 9 && f < 9 && h < 9 && i < 9 && j < 9 && k < 9);
    assert_true(value(&e, "n_contexts", a) == 2 && value(&e, "n_contexts", b) == 1 && value(&e, "n_contexts", f) == 2);
    assert_true(e.sign[a] == 1 && e.sign[h] == -1);
    nes[0] = nes_of("TF1", 0, w, 5, 2, 2.0 / 3, &p[0]);
    nes[1] = nes_of("TF2", 0, w, 5, 3, 0.9, &p[1]);
    nes[2] = nes_of("TF1", 1, down, 3, 2, 1, &p[2]);
    nes[3] = nes_of("TF3", 0, w3, 4, 2, 1, &p[3]);
    near(value(&e, "gsea_nes", a), nes[0], 1e-6);
    near(value(&e, "gsea_nes", c), nes[0], 1e-6);
    near(value(&e, "gsea_nes", d), nes[1], 1e-6);
    near(value(&e, "gsea_nes", i), nes[2], 1e-6);
    near(value(&e, "gsea_nes", k), nes[3], 1e-6);
    /* three direct sets, each in two binarisations, 6 tests in all; the extended ones: TF1 {1, 2} of 5 and TF3, 4 tests */
    double sorted[3] = { p[0], p[1], p[2] }, q[3], x[2];
    for (int s = 0; s < 3; s++) {
        int rank = 0;
        for (int t = 0; t < 3; t++) rank += 2 * (sorted[t] <= sorted[s]);
        q[s] = sorted[s] * 6 / rank;
    }
    for (int s = 0; s < 3; s++)
        for (int t = 0; t < 3; t++)
            if (sorted[t] > sorted[s] && q[t] < q[s]) q[s] = q[t];
    near(value(&e, "gsea_fdr", a), fmin(q[0], 1), 1e-6);
    near(value(&e, "gsea_fdr", d), fmin(q[1], 1), 1e-6);
    near(value(&e, "gsea_fdr", h), fmin(q[2], 1), 1e-6);
    nes_of("TF1", 0, w, 5, 2, 1, &x[0]);
    x[1] = p[3];
    near(value(&e, "gsea_fdr", j), x[1] <= x[0] ? fmin(x[1] * 2, x[0] > x[1] ? x[0] : x[1]) : x[1], 1e-6);
    /* evidence of the links and the cistromes */
    assert_true(value(&e, "importance_tg", c) == 3 && value(&e, "importance_rg", a) == (double).6F);
    assert_true(value(&e, "nes", a) == 4 && value(&e, "motif", a) == 1 && value(&e, "motif_score", c) == 1.5);
    assert_true(isnan(value(&e, "nes", c)) && value(&e, "log2fc", c) == 1.5 && value(&e, "motif", b) == 2);
    near(e.weight[c], .5 * .5 * 1.5 / 5, 1e-7); /* the best score of TF1 is 5 */
    assert_true(has_funnel("cistromes whose TF is a gene of the matrix\",\"unit\":\"regions\",\"kept\":14,\"lost\":1"));
    assert_true(has_funnel("linked to a gene\",\"unit\":\"regions\",\"kept\":13,\"lost\":1"));
    assert_true(has_funnel("with at least 2 genes\",\"unit\":\"rankings\",\"kept\":4,\"lost\":2"));
    assert_true(has_funnel("direct one of the same signs\",\"unit\":\"edges\",\"kept\":9,\"lost\":2"));
    grn_edges_clear(&e);
}

/* Q of the three rank ratios, counted pair by pair; motif: as the third criterion, larger is better, NaN last. Edges are in the order
 * of names: regulons sort as TFs here. */
static void check_ranks(const grn_edges_t *e, const double *motif)
{
    static const char *const column[] = { "importance_tg", "importance_rg" };
    double q[16];
    assert_int_equal(e->n, 9);
    for (size_t i = 0; i < e->n; i++) {
        double ratio[3];
        for (int c = 0; c < 3; c++) {
            size_t rank = 1;
            for (size_t j = 0; j < e->n; j++) {
                double x = c < 2 ? value(e, column[c], i) : motif[i], y = c < 2 ? value(e, column[c], j) : motif[j];
                if (isnan(x)) x = -INFINITY;
                if (isnan(y)) y = -INFINITY;
                rank += y > x || (y == x && j < i);
            }
            ratio[c] = (double)rank / 9;
        }
        q[i] = grn_ranking_q(ratio, 3);
    }
    for (size_t i = 0; i < e->n; i++) {
        size_t rank = 0;
        for (size_t j = 0; j < e->n; j++) rank += q[j] < q[i] || (q[j] == q[i] && j < i);
        near(value(e, "triplet_rank", i), (double)rank, 0);
    }
}

static void triplet_ranks(void **state)
{
    (void)state;
    grn_edges_t e = { 0 };
    grn_regulon_opt_t o = options();
    double motif[16];
    run(&o, &e);
    for (size_t i = 0; i < e.n; i++) motif[i] = value(&e, "motif_score", i);
    check_ranks(&e, motif);
    grn_edges_clear(&e);
}

/* Least rank over the motifs a TF's cistromes name (TF1: M1 and M2, TF2: M2, TF3: M1) and the regions that overlap. */
static void motif_rankings(void **state)
{
    (void)state;
    static const struct { const char *tf, *region; double rank; } want[] = {
        { "TF1", "chr1:100-200", 1 }, { "TF1", "chr1:150-250", 1 }, { "TF1", "chr1:300-400", 0 },
        { "TF1", "chr1:600-700", 0 }, { "TF1", "chr1:700-800", NAN }, { "TF2", "chr1:100-200", 1 },
        { "TF2", "chr1:200-300", 3 }, { "TF3", "chr1:100-200", 2 }, { "TF3", "chr1:200-300", 0 },
    };
    grn_edges_t e = { 0 };
    grn_regulon_opt_t o = options();
    double motif[16];
    put("ranks.tsv", "motif\tchr1:120-180\tchr1:290-310\tchr1:600-650\tchr9:1-2\nM1\t2\t0\t1\t3\nM2\t1\t3\t0\t2\nM3\t0\t1\t2\t3\n");
    o.rankings = at("ranks.tsv");
    run(&o, &e);
    for (size_t i = 0; i < e.n; i++) {
        size_t k = 0;
        while (k < COUNT(want) && (strcmp(want[k].tf, grn_names_get(&e.genes, e.tf[i])) != 0 ||
                                   strcmp(want[k].region, grn_names_get(&e.regions, e.region[i])) != 0)) k++;
        assert_true(k < COUNT(want));
        motif[i] = -want[k].rank;
    }
    check_ranks(&e, motif);
    grn_edges_clear(&e);
    put("ranks9.tsv", "motif\tchr9:120-180\tchr9:290-310\nM1\t0\t1\n");
    o.rankings = at("ranks9.tsv");
    assert_int_equal(grn_regulon_run(&o), GRN_EEMPTY);
    put("ranksx.tsv", "motif\tchr1:120-180\tchr1:290-310\nX1\t0\t1\n");
    o.rankings = at("ranksx.tsv");
    assert_int_equal(grn_regulon_run(&o), GRN_EEMPTY);
    assert_non_null(strstr(grn_err_msg(), "none of the motifs of"));
}

/* The 9 triplets again in the types: TF2 is off in x, G3 in y, the second region of G1 in x. */
static void cell_types(void **state)
{
    (void)state;
    grn_edges_t e = { 0 };
    grn_regulon_opt_t o = options();
    o.all_types = 0;
    o.atac = at("atac.tsv");
    o.rna_opt.cells_tsv = at("cells.tsv");
    run(&o, &e);
    assert_true(edge(&e, "TF1_+/+", "chr1:300-400", "G3", "x") < e.n && edge(&e, "TF1_+/+", "chr1:100-200", "G1", "x") < e.n);
    assert_true(edge(&e, "TF1_+/+", "chr1:150-250", "G1", "x") == SIZE_MAX);
    assert_true(edge(&e, "TF2_+/+", "chr1:100-200", "G1", "x") == SIZE_MAX);
    assert_true(edge(&e, "TF2_+/+", "chr1:100-200", "G1", "y") < e.n);
    assert_true(edge(&e, "TF1_+/+", "chr1:100-200", "G1", "y") == SIZE_MAX); /* G1 alone is less than two genes */
    size_t x = edge(&e, "TF3_+/+", "chr1:100-200", "G1", "x"), y = edge(&e, "TF3_+/+", "chr1:100-200", "G1", "y");
    assert_true(x < e.n && y < e.n && value(&e, "triplet_rank", x) == value(&e, "triplet_rank", y)); /* one triplet */
    assert_int_equal(e.n, 2 + 2 + 2 + 2 + 2 + 2); /* TF1_+/+ x; TF1_-/+ x, y; TF2 y; TF3 x, y */
    grn_edges_clear(&e);
}

static void extended_and_names(void **state)
{
    (void)state;
    grn_edges_t e = { 0 };
    grn_regulon_opt_t o = options();
    o.extended = GRN_EXTENDED_ALL;
    run(&o, &e);
    assert_true(e.n == 11 && edge(&e, "TF1_extended_+/+", "chr1:200-300", "G2", "all") < e.n);
    assert_true(edge(&e, "TF1_+/+", "chr1:300-400", "G3", "all") < e.n);
    assert_true(edge(&e, "TF3_extended_+/+", "chr1:200-300", "G2", "all") < e.n);
    grn_edges_clear(&e);
    o.extended = GRN_EXTENDED_NONE;
    run(&o, &e);
    assert_true(e.n == 7 && edge(&e, "TF3_+/+", "chr1:200-300", "G2", "all") == SIZE_MAX);
    grn_edges_clear(&e);
    o.extended = GRN_EXTENDED_FILL;
    o.scenicplus_names = 1;
    run(&o, &e);
    assert_true(e.n == 9 && edge(&e, "TF1_direct_+/+", "chr1:300-400", "G3", "all") < e.n);
    assert_true(edge(&e, "TF3_extended_+/+", "chr1:200-300", "G2", "all") < e.n);
    grn_edges_clear(&e);
}

/* TF3 binds chr1:900-1000, whose links to G1 and G2 are negative. */
static void all_signs(void **state)
{
    (void)state;
    grn_edges_t e = { 0 };
    grn_regulon_opt_t o = options();
    o.all_signs = 1;
    run(&o, &e);
    assert_int_equal(e.n, 11);
    assert_true(edge(&e, "TF3_+/-", "chr1:900-1000", "G1", "all") < e.n && edge(&e, "TF3_+/-", "chr1:900-1000", "G2", "all") < e.n);
    grn_edges_clear(&e);
}

/* TF1 leads its own ranking with 5.00001 when G4's region is also TF1's own. */
static void autoregulation(void **state)
{
    (void)state;
    grn_edges_t e = { 0 };
    grn_regulon_opt_t o = options();
    row_t more[COUNT(rg) + 1];
    memcpy(more, rg, sizeof rg);
    more[COUNT(rg)] = (row_t){ "chr1:100-200", "TF1", 0, { .5F, 1 } };
    save("rg_self.zst", "region,gene", rg_evidence, more, COUNT(more));
    o.region_gene = at("rg_self.zst");
    run(&o, &e);
    assert_true(edge(&e, "TF1_+/+", "chr1:100-200", "TF1", "all") == SIZE_MAX);
    grn_edges_clear(&e);
    o.autoregulation = 1;
    run(&o, &e); /* hits 1, 2, 4 of 6: ES at G1 or G3: (10 / 13) against 1 - 1/3: G1 */
    size_t i = edge(&e, "TF1_+/+", "chr1:100-200", "TF1", "all");
    assert_true(i < e.n && edge(&e, "TF1_+/+", "chr1:100-200", "G1", "all") < e.n);
    assert_true(edge(&e, "TF1_+/+", "chr1:300-400", "G3", "all") == SIZE_MAX);
    near(value(&e, "importance_tg", i), 5.00001, 1e-6);
    assert_true(value(&e, "rho_tg", i) == 1);
    grn_edges_clear(&e);
}

/* Without importances |r| orders: with r in proportion to them the triplets are the same. */
static void correlation_in_place_of_importance(void **state)
{
    (void)state;
    static const char *const only_tg[] = { "rho_tg", NULL }, *const only_rg[] = { "rho_sp_rg", NULL };
    grn_edges_t e = { 0 };
    grn_regulon_opt_t o = options();
    row_t scaled[COUNT(tg)];
    memcpy(scaled, tg, sizeof tg);
    for (size_t i = 0; i < COUNT(tg); i++)
        if (scaled[i].value[1] < 10) scaled[i].value[0] = copysignf(scaled[i].value[1] / 10, scaled[i].value[0]);
    save("tg_rho.zst", "tf,gene", only_tg, scaled, COUNT(tg));
    save("rg_rho.zst", "region,gene", only_rg, rg, COUNT(rg));
    o.tf_gene = at("tg_rho.zst");
    o.region_gene = at("rg_rho.zst");
    run(&o, &e);
    assert_int_equal(e.n, 9);
    size_t b = edge(&e, "TF1_+/+", "chr1:150-250", "G1", "all"); /* |r| of both regions of G1 is .5: both in the top one */
    assert_true(b < e.n && value(&e, "n_contexts", b) == 2);
    assert_null(grn_edges_find_evidence(&e, "importance_tg"));
    grn_edges_clear(&e);
}

/* join takes the cistromes as it takes motif hits. */
static void join_with_cistromes(void **state)
{
    (void)state;
    grn_edges_t e = { 0 };
    grn_regulon_opt_t o = options();
    o.method = GRN_REGULON_JOIN;
    run(&o, &e); /* TF1: 3 + 2, TF2: 3, TF3: 2; TF1_extended gives way */
    assert_true(e.n == 10 && edge(&e, "TF2_+/+", "chr1:500-600", "G5", "all") < e.n);
    assert_null(grn_edges_find_evidence(&e, "gsea_nes"));
    grn_edges_clear(&e);
}

static void nothing_passes(void **state)
{
    (void)state;
    grn_edges_t e = { 0 };
    grn_regulon_opt_t o = options();
    o.gsea_fdr = 0.001;
    assert_int_equal(grn_regulon_run(&o), GRN_EEMPTY);
    assert_int_equal(grn_edges_load(at("out.zst"), NULL, &e), GRN_OK);
    assert_int_equal(e.n, 0);
    assert_true(has_funnel("\"gene sets with adjusted p < 0.001\",\"unit\":\"gene sets\",\"kept\":0,\"lost\":10"));
    grn_edges_clear(&e);
}

static void bad_links(void **state)
{
    (void)state;
    grn_regulon_opt_t o = options();
    row_t twice[COUNT(tg) + 1];
    memcpy(twice, tg, sizeof tg);
    twice[COUNT(tg)] = tg[0];
    save("twice.zst", "tf,gene", tg_evidence, twice, COUNT(twice));
    o.tf_gene = at("twice.zst");
    assert_int_equal(grn_regulon_run(&o), GRN_EFORMAT);
    assert_non_null(strstr(grn_err_msg(), "links 'TF1' and 'G1' twice"));
    o = options();
    static const row_t other[] = { { "TF1", "chr1:100-200", "TF1_+/+", { 4, 1, NAN } } };
    save("other.zst", "tf,region,regulon,context", cis_evidence, other, 1);
    o.cistromes = at("other.zst");
    assert_int_equal(grn_regulon_run(&o), GRN_EFORMAT);
    assert_non_null(strstr(grn_err_msg(), "'TF1_+/+' is neither TF_direct nor TF_extended"));
    o.cistromes = at("tg.zst");
    assert_int_equal(grn_regulon_run(&o), GRN_EFORMAT);
    static const row_t far[] = { { "TF1", "chr9:100-200", "TF1_direct", { 4, 1, NAN } } },
                       mouse[] = { { "Tf1", "chr1:100-200", "Tf1_direct", { 4, 1, NAN } } };
    save("far.zst", "tf,region,regulon,context", cis_evidence, far, 1);
    o.cistromes = at("far.zst");
    assert_int_equal(grn_regulon_run(&o), GRN_EEMPTY);
    save("mouse.zst", "tf,region,regulon,context", cis_evidence, mouse, 1);
    o.cistromes = at("mouse.zst");
    assert_int_equal(grn_regulon_run(&o), GRN_EEMPTY);
    assert_non_null(strstr(grn_err_msg(), "first names: Tf1 vs"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(binarisations),
        cmocka_unit_test(eregulons_by_hand),
        cmocka_unit_test(triplet_ranks),
        cmocka_unit_test(motif_rankings),
        cmocka_unit_test(cell_types),
        cmocka_unit_test(extended_and_names),
        cmocka_unit_test(all_signs),
        cmocka_unit_test(autoregulation),
        cmocka_unit_test(correlation_in_place_of_importance),
        cmocka_unit_test(join_with_cistromes),
        cmocka_unit_test(nothing_passes),
        cmocka_unit_test(bad_links),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
