#include "enriched.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "cistarget.h"
#include "ranking.h"

#define MIN_MAPPED 0.1

void grn_enrich_clear(grn_enrich_t *e)
{
    for (size_t i = 0; i < e->n; i++) free(e->v[i].item);
    free(e->v);
    grn_names_clear(&e->motifs);
    for (int k = 0; k < 3; k++) free(e->set[k]);
    grn_funnel_clear(&e->funnel);
    *e = (grn_enrich_t){ 0 };
}

typedef struct { /* of one thread */
    grn_ranking_t ranking;
    uint32_t *rank; /* (N) */
    uint32_t *hit;  /* (largest set) */
    grn_cistarget_work_t ct;
    grn_dem_work_t dem;
} work_t;

typedef struct {
    grn_enrich_t *e;
    grn_motifdb_t *db;
    grn_regionsets_t *sets;
    const grn_enrich_opt_t *o;
    grn_par_t *pool;
    int methods;
    uint64_t *hash; /* (N) of the columns' names */
    work_t *work;   /* (workers) */
    size_t n_workers;
    grn_cistarget_t ct;
    grn_dem_contrast_t *dem; /* (sets) */
    uint8_t *promoter;       /* (N) */
    size_t first;            /* entries of this run begin here in e->v */
    size_t *of_motif, *next; /* the entries of a motif: of_motif[m], then next[...]; SIZE_MAX ends */
    uint32_t *global;        /* (M) number of a motif in e->motifs */
} run_t;

static void run_clear(run_t *r)
{
    for (size_t i = 0; r->work && i < r->n_workers; i++) {
        grn_ranking_clear(&r->work[i].ranking);
        free(r->work[i].rank);
        free(r->work[i].hit);
        grn_cistarget_work_clear(&r->work[i].ct);
        grn_dem_work_clear(&r->work[i].dem);
    }
    free(r->work);
    for (size_t s = 0; r->dem && s < r->sets->n; s++) grn_dem_contrast_clear(&r->dem[s]);
    free(r->dem);
    grn_cistarget_clear(&r->ct);
    free(r->hash);
    free(r->promoter);
    free(r->of_motif);
    free(r->next);
    free(r->global);
}

/* ---- sets in the database ---- */

static grn_status map_work(void *ctx, size_t begin, size_t end, int worker)
{
    run_t *r = ctx;
    grn_status rc = GRN_OK;
    (void)worker;
    for (size_t s = begin; !rc && s < end; s++) rc = grn_regionset_map(&r->sets->v[s], r->db, r->o->min_overlap);
    return rc;
}

static grn_status too_few(const run_t *r, const grn_regionset_t *x)
{
    if (r->o->compat && x->n) {
        grn_log_warn("only %zu of %zu regions of '%s' are in '%s'", x->n_mapped, x->items.n, x->path, r->db->path);
        return GRN_OK;
    }
    return grn_err(GRN_EEMPTY, "%zu of %zu %s of '%s' are in the database '%s', at least a tenth is needed; first names: %s vs %s",
                   x->n_mapped, x->items.n, r->db->is_genes ? "genes" : "regions", r->db->is_genes ? x->name : x->path, r->db->path,
                   grn_names_get(&x->items, 0), grn_names_get(r->db->columns, 0));
}

static grn_status map_sets(run_t *r)
{
    grn_status rc = GRN_OK;
    const char *unit = r->db->is_genes ? "genes" : "regions";
    GRN_TRY(grn_par_for(r->pool, r->sets->n, 1, map_work, r));
    for (size_t s = 0; s < r->sets->n; s++) {
        const grn_regionset_t *x = &r->sets->v[s];
        GRN_TRY(grn_funnel_add(&r->e->funnel, unit, x->n_mapped, x->items.n - x->n_mapped,
                               "%s: %s in the database (%.1f%%, as %zu of its %s)", x->name, unit,
                               100.0 * (double)x->n_mapped / (double)x->items.n, x->n, unit));
        if ((double)x->n_mapped < MIN_MAPPED * (double)x->items.n) GRN_TRY(too_few(r, x));
        for (int k = 1; k < 3; k++)
            if (r->methods & k) r->e->set[k][s] = (grn_enrich_set_t){ .n_items = x->items.n, .n_mapped = x->n_mapped, .n_cols = x->n };
    }
end:
    return rc;
}

/* ---- foreground and background ---- */

static grn_status find_promoters(run_t *r)
{
    grn_status rc = GRN_OK;
    grn_genes_t genes = { 0 };
    size_t n;
    if (!r->o->genes) {
        grn_log_info("DEM: no --genes, so promoters are not balanced between sets and backgrounds");
        return GRN_OK;
    }
    GRN_TRY(grn_genes_load(r->o->genes, &genes));
    GRN_TRY(GRN_NEW(r->promoter, r->db->N));
    GRN_TRY(grn_dem_promoters(&r->db->place, &genes, r->o->promoter_space, r->o->compat, r->promoter, &n));
    grn_log_info("DEM: %zu of %zu regions of the database are promoters (within %" PRIu64 " bp of a TSS)", n, r->db->N,
                 r->o->promoter_space);
end:
    grn_genes_clear(&genes);
    return rc;
}

/* Marks what may serve as background of set s. */
static void mark_background(const run_t *r, size_t s, const grn_regionset_t *given, uint8_t *mark)
{
    memset(mark, 0, r->db->N);
    for (size_t i = 0; given && i < given->n; i++) mark[given->col[i]] = 1;
    for (size_t k = 0; !given && k < r->sets->n; k++) {
        const grn_regionset_t *x = &r->sets->v[k];
        if (k == s || x->family != r->sets->v[s].family) continue;
        for (size_t i = 0; i < x->n; i++) mark[x->col[i]] = 1;
    }
    for (size_t i = 0; i < r->sets->v[s].n; i++) mark[r->sets->v[s].col[i]] = 0;
}

static grn_status make_contrast(run_t *r, size_t s, const grn_regionset_t *given, uint8_t *mark, uint32_t *candidate)
{
    grn_status rc = GRN_OK;
    const grn_regionset_t *x = &r->sets->v[s];
    grn_dem_contrast_t *c = &r->dem[s];
    grn_enrich_set_t *told = &r->e->set[GRN_DEM][s];
    const grn_dem_background_t o = { r->o->max_bg, r->promoter, r->hash, r->o->seed, r->o->compat };
    size_t n = 0;
    mark_background(r, s, given, mark);
    for (size_t i = 0; i < r->db->N; i++)
        if (mark[i]) candidate[n++] = (uint32_t)i;
    GRN_TRY(GRN_NEW_RAW(c->fg, x->n));
    memcpy(c->fg, x->col, x->n * sizeof *c->fg);
    c->n_fg = x->n;
    grn_dem_order(c->fg, c->n_fg, r->hash);
    GRN_TRY(grn_dem_background(&o, candidate, n, grn_hash_str(x->name), c));
    told->n_bg = c->n_bg;
    told->n_candidates = n;
    told->fg_promoters = c->fg_promoters;
    told->bg_promoters = c->bg_promoters;
    if (!c->n_fg || !c->n_bg) {
        grn_log_warn("DEM: %s is not tested: %s", x->name,
                     n ? "no background is left by the balance of promoters"
                       : "no other set of its folder has other regions (--background BED gives some)");
        c->n_fg = 0;
        return GRN_OK;
    }
    told->tested = 1;
    GRN_TRY(GRN_NEW(c->row, r->db->M));
    grn_log_info("DEM: %s: %zu regions against %zu of %zu in the background%s", x->name, c->n_fg, c->n_bg, n,
                 r->promoter ? ", balanced by promoters" : "");
    if (r->promoter)
        grn_log_info("DEM: %s: promoters %.1f%% of the set, %.1f%% of its background", x->name,
                     100.0 * (double)c->fg_promoters / (double)c->n_fg, 100.0 * (double)c->bg_promoters / (double)c->n_bg);
end:
    return rc;
}

static grn_status make_contrasts(run_t *r)
{
    grn_status rc = GRN_OK;
    grn_regionset_t given = { 0 };
    uint8_t *mark = NULL;
    uint32_t *candidate = NULL;
    GRN_TRY(GRN_NEW(r->dem, r->sets->n));
    GRN_TRY(GRN_NEW_RAW(mark, r->db->N));
    GRN_TRY(GRN_NEW_RAW(candidate, r->db->N));
    GRN_TRY(find_promoters(r));
    if (r->o->background) {
        GRN_TRY(grn_regionset_load(&given, r->o->background));
        GRN_TRY(grn_regionset_map(&given, r->db, r->o->min_overlap));
        GRN_TRY(grn_funnel_add(&r->e->funnel, "regions", given.n_mapped, given.items.n - given.n_mapped, "background in the database"));
        if (!given.n) GRN_FAIL(GRN_EEMPTY, "no region of the background '%s' is in the database '%s'", r->o->background, r->db->path);
    }
    for (size_t s = 0; s < r->sets->n; s++) GRN_TRY(make_contrast(r, s, r->o->background ? &given : NULL, mark, candidate));
end:
    free(candidate);
    free(mark);
    grn_regionset_clear(&given);
    return rc;
}

/* ---- first pass ---- */

static grn_status prepare(run_t *r)
{
    grn_status rc = GRN_OK;
    size_t largest = 0, n = r->sets->n;
    const uint32_t **col = NULL;
    size_t *n_col = NULL;
    GRN_TRY(GRN_NEW(r->work, r->n_workers));
    GRN_TRY(GRN_NEW_RAW(r->hash, r->db->N));
    grn_ranking_hashes(r->db->columns, r->hash);
    GRN_TRY(GRN_NEW_RAW(col, n));
    GRN_TRY(GRN_NEW_RAW(n_col, n));
    for (size_t s = 0; s < n; s++) {
        col[s] = r->sets->v[s].col;
        n_col[s] = r->sets->v[s].n;
        if (n_col[s] > largest) largest = n_col[s];
    }
    for (size_t i = 0; i < r->n_workers; i++) {
        GRN_TRY(GRN_NEW_RAW(r->work[i].hit, largest + 1));
        if (r->methods & GRN_CISTARGET) GRN_TRY(GRN_NEW_RAW(r->work[i].rank, r->db->N));
    }
    GRN_TRY(GRN_NEW_RAW(r->global, r->db->M));
    for (size_t m = 0; m < r->db->M; m++) {
        size_t k;
        GRN_TRY(grn_names_add(&r->e->motifs, grn_names_get(r->db->motifs, m), &k, NULL));
        r->global[m] = (uint32_t)k;
    }
    if (r->methods & GRN_CISTARGET)
        GRN_TRY(grn_cistarget_init(&r->ct, r->db->M, r->db->N, r->o->auc_threshold, r->o->rank_threshold, n, col, n_col));
    if (r->methods & GRN_DEM) GRN_TRY(make_contrasts(r));
end:
    free(n_col);
    free(col);
    return rc;
}

static grn_status ranks_of(run_t *r, size_t motif, const float *row, work_t *w)
{
    if (r->db->is_rank) return grn_motifdb_ranks(r->db, motif, row, w->rank);
    return grn_ranking_of(&w->ranking, row, r->hash, r->db->N, r->o->seed, grn_hash_str(grn_names_get(r->db->motifs, motif)), w->rank);
}

static grn_status first_work(void *ctx, size_t motif, const float *row, int worker)
{
    grn_status rc = GRN_OK;
    run_t *r = ctx;
    work_t *w = &r->work[worker];
    if (r->methods & GRN_CISTARGET) {
        GRN_TRY(ranks_of(r, motif, row, w));
        GRN_TRY(grn_cistarget_add(&r->ct, motif, w->rank, &w->ct));
    }
    for (size_t s = 0; r->dem && s < r->sets->n; s++)
        if (r->dem[s].n_fg) GRN_TRY(grn_dem_test(&r->dem[s], motif, row, r->o->compat, &w->dem));
end:
    return rc;
}

/* ---- what passes ---- */

static grn_status push(run_t *r, grn_enriched_t x, size_t motif)
{
    grn_enrich_t *e = r->e;
    grn_status rc = GRN_GROW(e->v, e->cap, e->n + 1);
    if (rc) return rc;
    e->set[x.method][x.set].n_enriched++;
    x.motif = (uint32_t)motif; /* of the database, until the second pass is over */
    e->v[e->n++] = x;
    return GRN_OK;
}

static grn_status select_cistarget(run_t *r)
{
    grn_status rc = GRN_OK;
    GRN_TRY(grn_cistarget_finish(&r->ct));
    for (size_t s = 0; s < r->sets->n; s++) {
        const double *nes = r->ct.set[s].nes;
        size_t n = 0;
        r->e->set[GRN_CISTARGET][s].tested = 1;
        if (isnan(nes[0]))
            grn_log_warn("cisTarget: every motif has the same AUC in %s: no NES%s", r->sets->v[s].name,
                         r->ct.c ? "" : " (the AUC threshold leaves one rank: too few regions)");
        for (size_t m = 0; m < r->db->M; m++) {
            if (!(nes[m] >= r->o->min_nes)) continue;
            grn_enriched_t x = {
                .set = (uint32_t)s, .method = GRN_CISTARGET, .nes = nes[m], .auc = grn_cistarget_auc(&r->ct, s, m), .threshold = NAN
            };
            GRN_TRY(push(r, x, m));
            n++;
        }
        GRN_TRY(grn_funnel_add(&r->e->funnel, "motifs", n, r->db->M - n, "%s: cisTarget NES >= %g", r->sets->v[s].name, r->o->min_nes));
    }
end:
    return rc;
}

static grn_status select_dem(run_t *r)
{
    grn_status rc = GRN_OK;
    for (size_t s = 0; s < r->sets->n; s++) {
        grn_dem_contrast_t *c = &r->dem[s];
        size_t n = 0;
        if (!c->n_fg) continue;
        GRN_TRY(grn_dem_finish(c, r->db->M));
        for (size_t m = 0; m < r->db->M; m++) {
            const grn_dem_row_t *y = &c->row[m];
            if (!(y->p_adj <= r->o->max_adj_p && y->log2fc >= r->o->min_log2fc && y->mean_fg >= r->o->min_mean_fg)) continue;
            grn_enriched_t x = {
                .set = (uint32_t)s, .method = GRN_DEM, .nes = NAN, .auc = NAN, .dem = *y, .threshold = r->o->hit_threshold
            };
            GRN_TRY(push(r, x, m));
            n++;
        }
        GRN_TRY(grn_funnel_add(&r->e->funnel, "motifs", n, r->db->M - n, "%s: DEM log2 fold change >= %g, adjusted p <= %g",
                               r->sets->v[s].name, r->o->min_log2fc, r->o->max_adj_p));
    }
end:
    return rc;
}

/* ---- second pass: hits ---- */

static int ascending(const void *x, const void *y)
{
    uint32_t a = *(const uint32_t *)x, b = *(const uint32_t *)y;
    return a < b ? -1 : a > b;
}

/* The regions of the set that stand behind columns. */
static grn_status items_of(const grn_regionset_t *s, const uint32_t *hit, grn_enriched_t *x)
{
    grn_status rc = GRN_OK;
    size_t n = 0, first, last;
    for (size_t i = 0; i < x->n_hit; i++) {
        grn_regionset_pairs(s, hit[i], &first, &last);
        n += last - first;
    }
    GRN_TRY(GRN_NEW_RAW(x->item, n));
    n = 0;
    for (size_t i = 0; i < x->n_hit; i++) {
        grn_regionset_pairs(s, hit[i], &first, &last);
        for (; first < last; first++) x->item[n++] = s->pair[first].item;
    }
    if (n) qsort(x->item, n, sizeof *x->item, ascending);
    for (size_t i = 0; i < n; i++)
        if (!x->n_item || x->item[x->n_item - 1] != x->item[i]) x->item[x->n_item++] = x->item[i];
end:
    return rc;
}

static grn_status dem_hits(run_t *r, grn_enriched_t *x, const float *row, work_t *w)
{
    grn_status rc = GRN_OK;
    const grn_dem_contrast_t *c = &r->dem[x->set];
    if (isnan(x->threshold)) GRN_TRY(grn_dem_youden(c, row, &w->dem, &x->threshold));
    for (size_t i = 0; i < c->n_fg; i++)
        if ((double)row[c->fg[i]] > x->threshold) w->hit[x->n_hit++] = c->fg[i];
end:
    return rc;
}

static grn_status second_work(void *ctx, size_t motif, const float *row, int worker)
{
    grn_status rc = GRN_OK;
    run_t *r = ctx;
    work_t *w = &r->work[worker];
    int ranked = 0;
    for (size_t k = r->of_motif[motif]; k != SIZE_MAX; k = r->next[k - r->first]) {
        grn_enriched_t *x = &r->e->v[k];
        if (x->method == GRN_CISTARGET) {
            if (!ranked++) GRN_TRY(ranks_of(r, motif, row, w));
            GRN_TRY(grn_cistarget_edge(&r->ct, x->set, w->rank, &w->ct, &x->rank_at_max, w->hit, &x->n_hit));
        } else {
            GRN_TRY(dem_hits(r, x, row, w));
        }
        GRN_TRY(items_of(&r->sets->v[x->set], w->hit, x));
    }
end:
    return rc;
}

static grn_status find_hits(run_t *r)
{
    grn_status rc = GRN_OK;
    uint8_t *want = NULL;
    grn_enrich_t *e = r->e;
    GRN_TRY(GRN_NEW(want, r->db->M));
    GRN_TRY(GRN_NEW_RAW(r->of_motif, r->db->M));
    GRN_TRY(GRN_NEW_RAW(r->next, e->n - r->first));
    for (size_t m = 0; m < r->db->M; m++) r->of_motif[m] = SIZE_MAX;
    for (size_t k = r->first; k < e->n; k++) {
        r->next[k - r->first] = r->of_motif[e->v[k].motif];
        r->of_motif[e->v[k].motif] = k;
        want[e->v[k].motif] = 1;
    }
    if (e->n > r->first) GRN_TRY(grn_motifdb_pass(r->db, want, second_work, r, r->pool));
    for (size_t k = r->first; k < e->n; k++) e->v[k].motif = r->global[e->v[k].motif];
end:
    free(want);
    return rc;
}

grn_status grn_enrich_run(grn_enrich_t *e, grn_motifdb_t *db, grn_regionsets_t *sets, int methods, const grn_enrich_opt_t *o,
                          grn_par_t *pool)
{
    grn_status rc = GRN_OK;
    run_t r = {
        .e = e, .db = db, .sets = sets, .o = o, .pool = pool, .methods = methods, .n_workers = (size_t)grn_par_n(pool), .first = e->n
    };
    e->n_sets = sets->n;
    for (int k = 1; k < 3; k++) {
        if (!(methods & k)) continue;
        e->n_motifs_tested[k] = db->M;
        if (!e->set[k]) GRN_TRY(GRN_NEW(e->set[k], sets->n));
    }
    grn_log_info("'%s': %zu motifs x %zu %s, %s", db->path, db->M, db->N, db->is_genes ? "genes" : "regions",
                 db->is_rank ? "ranks" : "scores");
    GRN_TRY(map_sets(&r));
    GRN_TRY(prepare(&r));
    GRN_TRY(grn_motifdb_pass(db, NULL, first_work, &r, pool));
    if (methods & GRN_CISTARGET) GRN_TRY(select_cistarget(&r));
    if (methods & GRN_DEM) GRN_TRY(select_dem(&r));
    GRN_TRY(find_hits(&r));
end:
    run_clear(&r);
    return rc;
}

/* ---- order ---- */

static int by_strength(const void *x, const void *y, void *motifs)
{
    const grn_enriched_t *a = x, *b = y;
    if (a->set != b->set) return a->set < b->set ? -1 : 1;
    if (a->method != b->method) return a->method - b->method;
    double p = a->method == GRN_CISTARGET ? a->nes : a->dem.log2fc, q = b->method == GRN_CISTARGET ? b->nes : b->dem.log2fc;
    if (p != q) return p > q ? -1 : 1;
    if (a->method == GRN_DEM && a->dem.log_p != b->dem.log_p) return a->dem.log_p < b->dem.log_p ? -1 : 1;
    return strcmp(grn_names_get(motifs, a->motif), grn_names_get(motifs, b->motif));
}

void grn_enrich_sort(grn_enrich_t *e)
{
    if (e->n) qsort_r(e->v, e->n, sizeof *e->v, by_strength, &e->motifs);
}
