#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/opt.h"
#include "regulon_priv.h"
#include "stat/fdr.h"
#include "stat/gsea.h"

#define N_COMBOS 4 /* TG_NEGATIVE and RG_NEGATIVE */

typedef struct {
    double importance;
    uint32_t gene, row;
} ranked_t;

typedef struct {
    grn_module_t *v;
    size_t n, cap;
} modules_t;

/* Of one worker: the rankings of the TF at hand, and the gene sets tested against them. */
typedef struct {
    ranked_t *link;    /* (genes) */
    double *weight[2]; /* (genes) importances of the targets of each sign, falling */
    size_t n[2];
    uint32_t *place;   /* (genes) 1 + 2 x place in its ranking + sign; 0: in none */
    uint32_t *row;     /* (genes) row of the TF's link to the gene */
    uint64_t *set;     /* (binarisations, combos, words) places of the genes of a set */
    uint32_t *hit;     /* (genes, at least as many as modules of a TF) */
    grn_gsea_null_t null;
} work_t;

typedef struct {
    grn_regulon_t *g;
    size_t n_bin, words;
    modules_t *modules; /* (n_tfs) */
    work_t *work;
    int n_workers;
} gsea_t;

static void gsea_clear(gsea_t *z)
{
    for (size_t k = 0; z->modules && k < z->g->n_tfs; k++) free(z->modules[k].v);
    free(z->modules);
    for (int w = 0; z->work && w < z->n_workers; w++) {
        work_t *x = &z->work[w];
        free(x->link);
        free(x->weight[0]);
        free(x->weight[1]);
        free(x->place);
        free(x->row);
        free(x->set);
        free(x->hit);
        grn_gsea_null_clear(&x->null);
    }
    free(z->work);
}

static grn_status gsea_init(gsea_t *z, grn_regulon_t *g)
{
    grn_status rc = GRN_OK;
    *z = (gsea_t){ .g = g, .n_bin = grn_n_binarisations(&g->opt->binarise), .words = (g->n_genes + 63) / 64 };
    z->n_workers = grn_par_n(grn_common.pool);
    GRN_TRY(GRN_NEW(z->modules, g->n_tfs));
    GRN_TRY(GRN_NEW(z->work, (size_t)z->n_workers));
    for (int w = 0; w < z->n_workers; w++) {
        work_t *x = &z->work[w];
        GRN_TRY(GRN_NEW_RAW(x->link, g->n_genes + 1));
        GRN_TRY(GRN_NEW_RAW(x->weight[0], g->n_genes + 1));
        GRN_TRY(GRN_NEW_RAW(x->weight[1], g->n_genes + 1));
        GRN_TRY(GRN_NEW(x->place, g->n_genes));
        GRN_TRY(GRN_NEW_RAW(x->row, g->n_genes));
        GRN_TRY(GRN_NEW(x->set, z->n_bin * N_COMBOS * z->words));
        GRN_TRY(GRN_NEW_RAW(x->hit, g->n_genes + z->n_bin * N_COMBOS * N_KINDS));
    }
end:
    return rc;
}

/* ---- rankings of a TF ---- */

static int strongest_first(const void *a, const void *b)
{
    const ranked_t *x = a, *y = b;
    if (x->importance != y->importance) return x->importance > y->importance ? -1 : 1;
    return (x->row > y->row) - (x->row < y->row); /* rows are in order of names */
}

/* Targets of one sign with an importance above 0; those of a ranking that is too short have no place. */
static void rank_sign(const gsea_t *z, work_t *x, size_t k, int negative, uint64_t *count)
{
    const grn_regulon_t *g = z->g;
    uint32_t tf = g->tfs[k];
    size_t n = 0;
    int itself = !negative && g->opt->autoregulation && tf < g->n_cols;
    for (size_t i = g->by_tf.off[tf]; i < g->by_tf.off[tf + 1]; i++) {
        uint32_t row = g->by_tf.row[i], gene = g->by_tf.gene[i];
        if ((g->r_tg[row] < 0) != negative || !(g->imp_tg[row] > 0) || (g->opt->autoregulation && gene == tf)) continue;
        x->link[n++] = (ranked_t){ (double)g->imp_tg[row], gene, row };
    }
    if (itself) x->link[n++] = (ranked_t){ (double)g->self[k], tf, NO_ROW };
    if (count) count[n >= g->opt->min_targets ? N_RANKINGS : N_SHORT]++;
    if (n < g->opt->min_targets) n = 0;
    if (n) qsort(x->link, n, sizeof *x->link, strongest_first);
    x->n[negative] = n;
    for (size_t i = 0; i < n; i++) {
        x->weight[negative][i] = x->link[i].importance;
        x->place[x->link[i].gene] = 1 + 2 * (uint32_t)i + (uint32_t)negative;
        x->row[x->link[i].gene] = x->link[i].row;
    }
}

/* Both rankings; forget undoes it. */
static void rank_targets(const gsea_t *z, work_t *x, size_t k, uint64_t *count)
{
    const grn_regulon_t *g = z->g;
    uint32_t tf = g->tfs[k];
    float most = 0;
    for (size_t i = g->by_tf.off[tf]; i < g->by_tf.off[tf + 1]; i++)
        if (g->imp_tg[g->by_tf.row[i]] > most) most = g->imp_tg[g->by_tf.row[i]];
    g->self[k] = most + 1e-5F;
    for (int negative = 0; negative < 2; negative++) rank_sign(z, x, k, negative, count);
}

static void forget(const gsea_t *z, work_t *x, size_t k)
{
    const grn_regulon_t *g = z->g;
    uint32_t tf = g->tfs[k];
    for (size_t i = g->by_tf.off[tf]; i < g->by_tf.off[tf + 1]; i++) x->place[g->by_tf.gene[i]] = 0;
    x->place[tf] = 0;
}

/* ---- modules ---- */

static uint64_t *set_of(const gsea_t *z, const work_t *x, size_t bin, int combo)
{
    return x->set + (bin * N_COMBOS + (size_t)combo) * z->words;
}

/* The gene sets of one cistrome: places in the ranking, per binarisation and signs. any[bin][region sign]: a region is there. */
static void fill_sets(const gsea_t *z, work_t *x, size_t k, int kind, uint8_t (*any)[2])
{
    const grn_regulon_t *g = z->g;
    uint32_t tf = g->tfs[k];
    for (size_t bin = 0; bin < z->n_bin; bin++)
        for (int combo = 0; combo < N_COMBOS; combo++)
            memset(set_of(z, x, bin, combo), 0, (x->n[combo & 1] + 63) / 64 * sizeof *x->set);
    memset(any, 0, z->n_bin * sizeof *any);
    for (size_t s = g->site_off[kind][tf]; s < g->site_off[kind][tf + 1]; s++) {
        uint32_t region = g->sites[kind].v[s].region;
        for (size_t i = g->by_region.off[region]; i < g->by_region.off[region + 1]; i++) {
            uint32_t row = g->by_region.row[i], at = x->place[g->by_region.gene[i]];
            int falls = g->r_rg[row] < 0;
            if (falls && !g->opt->all_signs) continue;
            for (uint32_t on = g->on[row]; on; on &= on - 1) {
                size_t bin = (size_t)__builtin_ctz(on);
                any[bin][falls] = 1;
                if (at) set_of(z, x, bin, (int)((at - 1) & 1) | falls << 1)[(at - 1) >> 7] |= (uint64_t)1 << ((at - 1) >> 1 & 63);
            }
        }
    }
}

static size_t list_hits(const uint64_t *set, size_t n, uint32_t *hit)
{
    size_t h = 0;
    for (size_t w = 0; w < (n + 63) / 64; w++)
        for (uint64_t b = set[w]; b; b &= b - 1) hit[h++] = (uint32_t)(w * 64 + (size_t)__builtin_ctzll(b));
    return h;
}

static grn_status add_module(const gsea_t *z, work_t *x, size_t bin, int combo, int kind, modules_t *out, uint64_t *count)
{
    int negative = combo & TG_NEGATIVE;
    const double *w = x->weight[negative];
    size_t n = x->n[negative], h = list_hits(set_of(z, x, bin, combo), n, x->hit);
    if (!n) return GRN_OK;
    count[N_MODULES]++;
    if (!h || h == n) return GRN_OK; /* nothing to tell apart */
    grn_module_t m = { .n_hits = (uint32_t)h, .binarisation = (uint8_t)bin,
                       .combo = (uint8_t)(combo | (kind == EXTENDED ? IS_EXTENDED : 0)) };
    m.es = grn_gsea_es(w, n, x->hit, h, &m.peak);
    for (size_t i = 0; i < h; i++) m.n_edge += m.es > 0 ? x->hit[i] <= m.peak : x->hit[i] >= m.peak;
    grn_status rc = GRN_GROW(out->v, out->cap, out->n + 1);
    if (rc == GRN_OK) out->v[out->n++] = m;
    return rc;
}

/* By ranking, then by number of hits. */
static int by_null(const void *a, const void *b)
{
    const grn_module_t *x = a, *y = b;
    int s = x->combo & TG_NEGATIVE, t = y->combo & TG_NEGATIVE;
    if (s != t) return s - t;
    if (x->n_hits != y->n_hits) return x->n_hits < y->n_hits ? -1 : 1;
    if (x->combo != y->combo) return x->combo < y->combo ? -1 : 1;
    return x->binarisation - y->binarisation;
}

/* Tests n modules of one ranking, by rising number of hits. */
static grn_status test_sign(const gsea_t *z, work_t *x, uint32_t tf, grn_module_t *m, size_t n)
{
    grn_status rc = GRN_OK;
    int negative = m->combo & TG_NEGATIVE;
    size_t n_h = 0;
    for (size_t i = 0; i < n; i++)
        if (!i || m[i].n_hits != m[i - 1].n_hits) x->hit[n_h++] = m[i].n_hits;
    uint64_t object = grn_rng_key(0, "regulon.gsea", grn_hash_str(grn_names_get(&z->g->genes, tf)), (uint64_t)negative);
    GRN_TRY(grn_gsea_null(&x->null, x->weight[negative], x->n[negative], x->hit, n_h, z->g->opt->n_perm, grn_common.seed, object));
    for (size_t i = 0, k = 0; i < n; i++) {
        k += i && m[i].n_hits != m[i - 1].n_hits;
        grn_gsea_test(&x->null, k, m[i].es, &m[i].nes, &m[i].p);
        if (isnan(m[i].nes)) m[i].p = NAN;
    }
end:
    return rc;
}

static grn_status test_modules(const gsea_t *z, work_t *x, uint32_t tf, modules_t *m)
{
    grn_status rc = GRN_OK;
    if (m->n) qsort(m->v, m->n, sizeof *m->v, by_null);
    for (size_t i = 0, j; i < m->n; i = j) {
        for (j = i; j < m->n && (m->v[j].combo & TG_NEGATIVE) == (m->v[i].combo & TG_NEGATIVE);) j++;
        GRN_TRY(test_sign(z, x, tf, m->v + i, j - i));
    }
end:
    return rc;
}

static grn_status make_modules(void *ctx, size_t begin, size_t end, int worker)
{
    grn_status rc = GRN_OK;
    gsea_t *z = ctx;
    grn_regulon_t *g = z->g;
    work_t *x = &z->work[worker];
    uint8_t any[GRN_MAX_BINARISATIONS][2];
    for (size_t k = begin; k < end; k++) {
        rank_targets(z, x, k, g->count[k]);
        for (int kind = 0; kind < N_KINDS; kind++) {
            if (!g->sites[kind].n) continue;
            fill_sets(z, x, k, kind, any);
            for (size_t bin = 0; bin < z->n_bin; bin++)
                for (int combo = 0; combo < N_COMBOS; combo++)
                    if (any[bin][combo >> 1]) GRN_TRY(add_module(z, x, bin, combo, kind, &z->modules[k], g->count[k]));
        }
        GRN_TRY(test_modules(z, x, g->tfs[k], &z->modules[k]));
        g->count[k][N_TESTED] = z->modules[k].n;
        forget(z, x, k);
        grn_progress_add(1);
    }
end:
    if (rc) memset(x->place, 0, g->n_genes * sizeof *x->place);
    return rc;
}

/* Benjamini-Hochberg over all modules of one kind of annotation. */
static grn_status adjust(gsea_t *z, int kind)
{
    grn_status rc = GRN_OK;
    double *p = NULL;
    size_t n = 0, i = 0;
    for (size_t k = 0; k < z->g->n_tfs; k++) n += z->modules[k].n;
    GRN_TRY(GRN_NEW_RAW(p, n));
    for (int pass = 0; pass < 2; pass++) {
        i = 0;
        for (size_t k = 0; k < z->g->n_tfs; k++)
            for (size_t m = 0; m < z->modules[k].n; m++) {
                grn_module_t *x = &z->modules[k].v[m];
                if ((x->combo & IS_EXTENDED) != (kind == EXTENDED ? IS_EXTENDED : 0)) continue;
                if (pass) x->q = p[i++];
                else p[i++] = x->p;
            }
        if (!pass) GRN_TRY(grn_fdr_bh(p, i, p, NULL));
    }
end:
    free(p);
    return rc;
}

/* ---- merging ---- */

static int passes(const grn_regulon_opt_t *o, const grn_module_t *m, uint64_t *count)
{
    if (!(m->nes > 0)) return 0;
    count[N_NES]++;
    if (!(m->q < o->gsea_fdr)) return 0;
    count[N_FDR]++;
    if (m->n_edge < o->min_targets) return 0;
    count[N_EDGE]++;
    return 1;
}

/* Triplets of the leading edges of the modules that pass, each once. chosen[combo][bin]: the module, or NULL. */
static grn_status merge_kind(const gsea_t *z, const work_t *x, size_t k, int kind,
                             const grn_module_t *chosen[N_COMBOS][GRN_MAX_BINARISATIONS])
{
    grn_status rc = GRN_OK;
    grn_regulon_t *g = z->g;
    uint32_t tf = g->tfs[k];
    for (size_t s = g->site_off[kind][tf]; s < g->site_off[kind][tf + 1]; s++) {
        uint32_t region = g->sites[kind].v[s].region;
        for (size_t i = g->by_region.off[region]; i < g->by_region.off[region + 1]; i++) {
            uint32_t row = g->by_region.row[i], gene = g->by_region.gene[i], at = x->place[gene];
            if (!at--) continue;
            int combo = (int)(at & 1) | (g->r_rg[row] < 0) << 1;
            grn_triplet_t t = { .tf = tf, .gene = gene, .tg = x->row[gene], .rg = row, .site = (uint32_t)s, .nes = NAN, .fdr = NAN,
                                .combo = (uint8_t)(combo | (kind == EXTENDED ? IS_EXTENDED : 0)) };
            for (uint32_t on = g->on[row]; on; on &= on - 1) {
                const grn_module_t *m = chosen[combo][__builtin_ctz(on)];
                if (!m || at >> 1 > m->peak) continue;
                t.n_contexts++;
                if (!(t.nes >= (float)m->nes)) t.nes = (float)m->nes;
                if (!(t.fdr <= (float)m->q)) t.fdr = (float)m->q;
            }
            if (!t.n_contexts) continue;
            g->count[k][N_ROWS] += t.n_contexts;
            GRN_TRY(grn_triplets_add(&g->found[k], t));
        }
    }
end:
    return rc;
}

static grn_status merge_modules(void *ctx, size_t begin, size_t end, int worker)
{
    grn_status rc = GRN_OK;
    gsea_t *z = ctx;
    grn_regulon_t *g = z->g;
    work_t *x = &z->work[worker];
    for (size_t k = begin; k < end; k++) {
        const grn_module_t *chosen[N_KINDS][N_COMBOS][GRN_MAX_BINARISATIONS] = { 0 };
        int any = 0;
        for (size_t i = 0; i < z->modules[k].n; i++) {
            const grn_module_t *m = &z->modules[k].v[i];
            if (!passes(g->opt, m, g->count[k])) continue;
            chosen[m->combo & IS_EXTENDED ? EXTENDED : DIRECT][m->combo & ~IS_EXTENDED][m->binarisation] = m;
            any = 1;
        }
        if (!any) continue;
        rank_targets(z, x, k, NULL);
        for (int kind = 0; kind < N_KINDS; kind++)
            if (g->sites[kind].n) GRN_TRY(merge_kind(z, x, k, kind, chosen[kind]));
        forget(z, x, k);
    }
end:
    if (rc) memset(x->place, 0, g->n_genes * sizeof *x->place);
    return rc;
}

static grn_status report(grn_regulon_t *g)
{
    grn_status rc = GRN_OK;
    const grn_regulon_opt_t *o = g->opt;
    uint64_t n[N_COUNTS] = { 0 }, distinct = 0;
    for (size_t k = 0; k < g->n_tfs; k++) {
        distinct += g->found[k].n;
        for (int c = 0; c < N_COUNTS; c++) n[c] += g->count[k][c];
    }
    GRN_TRY(grn_funnel_add(&g->funnel, "rankings", n[N_RANKINGS], n[N_SHORT],
                           "rankings of the targets of a TF and sign with at least %" PRIu64 " genes", o->min_targets));
    GRN_TRY(grn_funnel_add(&g->funnel, "gene sets", n[N_TESTED], n[N_MODULES] - n[N_TESTED],
                           "gene sets (TF, binarisation, signs) with some but not all genes of the ranking"));
    GRN_TRY(grn_funnel_add(&g->funnel, "gene sets", n[N_NES], n[N_TESTED] - n[N_NES], "gene sets with NES > 0"));
    GRN_TRY(grn_funnel_add(&g->funnel, "gene sets", n[N_FDR], n[N_NES] - n[N_FDR], "gene sets with adjusted p < %g", o->gsea_fdr));
    GRN_TRY(grn_funnel_add(&g->funnel, "gene sets", n[N_EDGE], n[N_FDR] - n[N_EDGE],
                           "gene sets with at least %" PRIu64 " genes in the leading edge", o->min_targets));
    GRN_TRY(grn_funnel_add(&g->funnel, "triplets", distinct, n[N_ROWS] - distinct,
                           "distinct triplets of the leading edges, merged over binarisations"));
end:
    return rc;
}

grn_status grn_regulon_gsea(grn_regulon_t *g)
{
    grn_status rc = GRN_OK;
    gsea_t z;
    GRN_TRY(gsea_init(&z, g));
    grn_progress_begin(g->n_tfs, "TFs");
    rc = grn_par_for(grn_common.pool, g->n_tfs, 1, make_modules, &z);
    grn_progress_end();
    GRN_TRY(rc);
    for (int kind = 0; kind < N_KINDS; kind++) GRN_TRY(adjust(&z, kind));
    GRN_TRY(grn_par_for(grn_common.pool, g->n_tfs, 1, merge_modules, &z));
    GRN_TRY(report(g));
end:
    gsea_clear(&z);
    return rc;
}
