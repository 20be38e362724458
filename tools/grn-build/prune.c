/* Pruning of modules: links, databases, and two passes over each database for as many modules at once as memory allows. */
#include "prune.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/opt.h"
#include "cistarget.h"
#include "io/chrom.h"
#include "motifdb.h"

#define NONE UINT32_MAX
#define DEFAULT_BUDGET ((uint64_t)1 << 30)

typedef struct { /* a database */
    grn_motifdb_t db;
    uint32_t *col;   /* (genes of the links) column, or NONE */
    uint32_t *gene;  /* (db.N) gene of the links, or NONE */
    uint32_t *motif; /* (db.M) number in motifs */
    uint64_t cut, rt;
} db_t;

typedef struct {
    grn_prune_t p;
    db_t *db;
    grn_annotation_t annotation;
    uint32_t *tf;             /* (genes of the links) number in annotation.tfs, or NONE */
    uint64_t n_with, n_tried; /* (module, database): the TF has a motif; and genes enough are there */
} state_t;

static void state_clear(state_t *s)
{
    grn_prune_t *p = &s->p;
    for (size_t d = 0; s->db && d < p->n_db; d++) {
        grn_motifdb_close(&s->db[d].db);
        free(s->db[d].col);
        free(s->db[d].gene);
        free(s->db[d].motif);
    }
    free(s->db);
    free(s->tf);
    grn_annotation_clear(&s->annotation);
    for (size_t i = 0; i < p->n; i++) free(p->v[i].gene);
    free(p->v);
    free(p->n_mapped);
    free(p->owned);
    grn_names_clear(&p->motifs);
    grn_modules_clear(&p->modules);
    grn_edges_clear(&p->e);
    grn_funnel_clear(&p->funnel);
}

/* ---- input ---- */

static grn_status load_links(grn_prune_t *p)
{
    grn_status rc = GRN_OK;
    const char *path = p->opt->links;
    GRN_TRY(grn_edges_load(path, grn_common.pool, &p->e));
    if (!p->e.tf || !p->e.gene) GRN_FAIL(GRN_EFORMAT, "'%s' does not hold TF-gene links", path);
    if (!p->e.n) GRN_FAIL(GRN_EEMPTY, "'%s' holds no link", path);
    GRN_TRY(grn_edges_sort(&p->e));
    p->rho = grn_edges_find_evidence(&p->e, "rho_tg");
    if (!p->rho) GRN_FAIL(GRN_EFORMAT, "'%s' has no column 'rho_tg': is it from grn-build link?", path);
    p->importance = grn_edges_find_evidence(&p->e, "importance_tg");
    if (!p->importance) {
        grn_log_info("'%s' has no importances: |Pearson| stands in for them", path);
        GRN_TRY(GRN_NEW_RAW(p->owned, p->e.n));
        for (size_t i = 0; i < p->e.n; i++) p->owned[i] = fabsf(p->rho[i]);
        p->importance = p->owned;
    }
end:
    return rc;
}

static grn_status check_thresholds(const grn_prune_opt_t *o, db_t *d)
{
    d->cut = grn_round_even(o->auc_threshold * (double)d->db.N);
    d->rt = o->rank_threshold;
    if (d->rt > d->db.N) {
        grn_log_warn("'%s' ranks %zu genes, fewer than --rank-threshold %" PRIu64 ": leading edges are sought among all",
                     d->db.path, d->db.N, o->rank_threshold);
        d->rt = d->db.N;
    }
    if (d->cut >= 2 && d->cut <= d->rt) return GRN_OK;
    return grn_err(GRN_EINVAL,
                   "--auc-threshold %g of the %zu genes of '%s' is the first %" PRIu64 ": at least 2, and no more than the %" PRIu64
                   " of --rank-threshold, are needed",
                   o->auc_threshold, d->db.N, d->db.path, d->cut, d->rt);
}

/* The genes of the links in the database. */
static grn_status map_genes(grn_prune_t *p, db_t *d)
{
    grn_status rc = GRN_OK;
    const grn_names_t *genes = &p->e.genes;
    char x[200], y[200];
    size_t n = 0, rows = 0;
    GRN_TRY(GRN_NEW_RAW(d->col, genes->n));
    GRN_TRY(GRN_NEW_RAW(d->gene, d->db.N));
    memset(d->gene, 0xff, d->db.N * sizeof *d->gene);
    for (size_t g = 0; g < genes->n; g++) {
        size_t k = grn_names_find(d->db.columns, grn_names_get(genes, g));
        d->col[g] = k == GRN_NAMES_NONE ? NONE : (uint32_t)k;
        rows += grn_names_find(d->db.motifs, grn_names_get(genes, g)) != GRN_NAMES_NONE;
        if (k == GRN_NAMES_NONE) continue;
        d->gene[k] = (uint32_t)g;
        n++;
    }
    if (!n && rows)
        GRN_FAIL(GRN_EFORMAT, "'%s': rows are genes; a file of ranks has a row per motif (grn-build rank without --regions-first)",
                 d->db.path);
    GRN_TRY(grn_funnel_add(&p->funnel, "genes", n, genes->n - n, "%s: genes of the links in the database (%.1f%%; it has %zu)",
                           d->db.path, 100.0 * (double)n / (double)genes->n, d->db.N));
    if (!n)
        GRN_FAIL(GRN_EEMPTY,
                 "0 of %zu genes of '%s' are among the %zu of '%s'; first names: %s vs %s: another species, or other identifiers?",
                 genes->n, p->opt->links, d->db.N, d->db.path, grn_names_show(genes, 3, x, sizeof x),
                 grn_names_show(d->db.columns, 3, y, sizeof y));
end:
    return rc;
}

static grn_status open_databases(state_t *s)
{
    grn_status rc = GRN_OK;
    grn_prune_t *p = &s->p;
    const grn_prune_opt_t *o = p->opt;
    p->n_db = o->n_ranks;
    GRN_TRY(GRN_NEW(s->db, p->n_db));
    for (size_t i = 0; i < p->n_db; i++) {
        db_t *d = &s->db[i];
        for (size_t k = 0; k < i; k++)
            if (!strcmp(o->ranks[k], o->ranks[i])) GRN_FAIL(GRN_EUSAGE, "--ranks '%s' is given twice", o->ranks[i]);
        GRN_TRY(grn_motifdb_open(&d->db, o->ranks[i], 1, 1, grn_common.pool));
        grn_log_info("'%s': %zu motifs x %zu genes, ranks", d->db.path, d->db.M, d->db.N);
        GRN_TRY(map_genes(p, d));
        GRN_TRY(check_thresholds(o, d));
        GRN_TRY(GRN_NEW_RAW(d->motif, d->db.M));
        for (size_t m = 0; m < d->db.M; m++) {
            size_t k;
            GRN_TRY(grn_names_add(&p->motifs, grn_names_get(d->db.motifs, m), &k, NULL));
            d->motif[m] = (uint32_t)k;
        }
    }
end:
    return rc;
}

static grn_status annotate(state_t *s)
{
    grn_status rc = GRN_OK;
    grn_prune_t *p = &s->p;
    const grn_annotation_opt_t o = { p->opt->motif2tf, NULL, NULL, p->opt->annotation.kinds, 0, &p->opt->annotation };
    grn_annotation_t *a = &s->annotation;
    GRN_TRY(grn_annotation_load(a, &o, &p->motifs, grn_common.pool));
    GRN_TRY(grn_funnel_add(&p->funnel, "motifs", a->n_annotated, a->M - a->n_annotated, "motifs that stand for a TF"));
    GRN_TRY(GRN_NEW_RAW(s->tf, p->e.genes.n));
    for (size_t g = 0; g < p->e.genes.n; g++) {
        size_t k = grn_names_find(&a->tfs, grn_names_get(&p->e.genes, g));
        s->tf[g] = k == GRN_NAMES_NONE ? NONE : (uint32_t)k;
    }
end:
    return rc;
}

/* How a motif stands for a TF; 0: not. */
static uint8_t kind_of(const grn_annotation_t *a, uint32_t motif, uint32_t tf)
{
    for (size_t i = a->off[motif]; i < a->off[motif + 1]; i++)
        if (a->v[i].tf == tf) return a->v[i].kind;
    return 0;
}

/* ---- modules in one database ---- */

typedef struct {    /* of one thread */
    uint32_t *rank; /* (N) */
    uint32_t *hit;  /* (largest module) */
    grn_cistarget_work_t ct;
} work_t;

typedef struct {
    state_t *s;
    size_t i_db;
    db_t *d;
    uint32_t *module; /* (n) to look at */
    size_t n, first;  /* the batch begins here */
    uint32_t *at;     /* columns of the batch */
    size_t at_cap;
    const uint32_t **col; /* (batch) into at */
    size_t *n_col;        /* (batch) */
    grn_cistarget_t ct;
    work_t *work;
    size_t n_workers;
    size_t entry;            /* entries of the batch begin here in p->v */
    size_t *of_motif, *next; /* the entries of a motif: of_motif[m], then next[...]; SIZE_MAX ends */
    uint64_t n_pairs, n_enriched, n_flat;
} run_t;

static void run_clear(run_t *r)
{
    for (size_t i = 0; r->work && i < r->n_workers; i++) {
        free(r->work[i].rank);
        free(r->work[i].hit);
        grn_cistarget_work_clear(&r->work[i].ct);
    }
    free(r->work);
    free(r->module);
    free(r->at);
    free(r->col);
    free(r->n_col);
    free(r->of_motif);
    free(r->next);
    grn_cistarget_clear(&r->ct);
}

static int enough(size_t mapped, size_t n, double min)
{
    return mapped == n || (double)mapped / (double)n > min;
}

/* Modules of TFs that have a motif in the database, with enough of their genes in it. */
static grn_status choose(run_t *r, size_t *largest)
{
    grn_status rc = GRN_OK;
    grn_prune_t *p = &r->s->p;
    const grn_annotation_t *a = &r->s->annotation;
    const grn_modules_t *m = &p->modules;
    uint8_t *has = NULL;
    size_t with = 0;
    *largest = 0;
    GRN_TRY(GRN_NEW(has, a->tfs.n + 1));
    for (size_t k = 0; k < r->d->db.M; k++)
        for (size_t i = a->off[r->d->motif[k]]; i < a->off[r->d->motif[k] + 1]; i++) has[a->v[i].tf] = 1;
    GRN_TRY(GRN_NEW_RAW(r->module, m->n));
    for (size_t k = 0; k < m->n; k++) {
        size_t n = 0, all = (size_t)(m->off[k + 1] - m->off[k]);
        uint32_t tf = r->s->tf[m->v[k].tf];
        for (uint64_t i = m->off[k]; i < m->off[k + 1]; i++) n += r->d->col[m->gene[i]] != NONE;
        p->n_mapped[r->i_db * m->n + k] = (uint32_t)n;
        if (tf == NONE || !has[tf]) continue;
        with++;
        if (!enough(n, all, p->opt->min_mapped)) continue;
        r->module[r->n++] = (uint32_t)k;
        if (n > *largest) *largest = n;
    }
    r->s->n_with += with;
    r->s->n_tried += r->n;
    GRN_TRY(
        grn_funnel_add(&p->funnel, "modules", with, m->n - with, "%s: modules of TFs with a motif in the database", r->d->db.path));
    GRN_TRY(grn_funnel_add(&p->funnel, "modules", r->n, with - r->n, "%s: modules with more than %g of their genes in the database",
                           r->d->db.path, p->opt->min_mapped));
end:
    free(has);
    return rc;
}

static int ascending(const void *x, const void *y)
{
    uint32_t a = *(const uint32_t *)x, b = *(const uint32_t *)y;
    return a < b ? -1 : a > b;
}

/* The columns of modules [first, first + n) of the list. */
static grn_status set_columns(run_t *r, size_t n)
{
    grn_status rc = GRN_OK;
    const grn_prune_t *p = &r->s->p;
    const grn_modules_t *m = &p->modules;
    size_t total = 0;
    for (size_t b = 0; b < n; b++) total += p->n_mapped[r->i_db * m->n + r->module[r->first + b]];
    GRN_TRY(GRN_GROW(r->at, r->at_cap, total + 1));
    total = 0;
    for (size_t b = 0; b < n; b++) {
        uint32_t k = r->module[r->first + b];
        r->col[b] = r->at + total;
        r->n_col[b] = 0;
        for (uint64_t i = m->off[k]; i < m->off[k + 1]; i++)
            if (r->d->col[m->gene[i]] != NONE) r->at[total + r->n_col[b]++] = r->d->col[m->gene[i]];
        qsort(r->at + total, r->n_col[b], sizeof *r->at, ascending);
        total += r->n_col[b];
    }
end:
    return rc;
}

static grn_status first_work(void *ctx, size_t motif, const float *row, int worker)
{
    run_t *r = ctx;
    work_t *w = &r->work[worker];
    grn_status rc = grn_motifdb_ranks(&r->d->db, motif, row, w->rank);
    return rc ? rc : grn_cistarget_add(&r->ct, motif, w->rank, &w->ct);
}

/* Enriched motifs of the batch, whatever they stand for. */
static grn_status select_motifs(run_t *r)
{
    grn_status rc = GRN_OK;
    grn_prune_t *p = &r->s->p;
    GRN_TRY(grn_cistarget_finish(&r->ct));
    for (size_t b = 0; b < r->ct.n_sets; b++) {
        uint32_t module = r->module[r->first + b], tf = r->s->tf[p->modules.v[module].tf];
        const double *nes = r->ct.set[b].nes;
        r->n_flat += isnan(nes[0]);
        for (size_t m = 0; m < r->d->db.M; m++) {
            if (!(nes[m] >= p->opt->min_nes)) continue;
            GRN_TRY(GRN_GROW(p->v, p->cap, p->n + 1));
            grn_pruned_t *x = &p->v[p->n++];
            *x = (grn_pruned_t){ .module = module, .db = (uint32_t)r->i_db, .motif = (uint32_t)m, .nes = nes[m] };
            x->auc = grn_cistarget_auc(&r->ct, b, m);
            x->kind = kind_of(&r->s->annotation, r->d->motif[m], tf);
            r->n_enriched++;
            r->n_pairs += x->kind != 0;
        }
    }
end:
    return rc;
}

/* Leading edges: of each motif in each module that it is enriched in, by the motif's own ranks. */
static grn_status second_work(void *ctx, size_t motif, const float *row, int worker)
{
    grn_status rc = GRN_OK;
    run_t *r = ctx;
    work_t *w = &r->work[worker];
    GRN_TRY(grn_motifdb_ranks(&r->d->db, motif, row, w->rank));
    for (size_t k = r->of_motif[motif]; k != SIZE_MAX; k = r->next[k - r->entry]) {
        grn_pruned_t *x = &r->s->p.v[k];
        size_t b = 0, n = r->ct.n_sets; /* the place of the module in the batch, whose modules ascend */
        while (n > 1) {
            if (r->module[r->first + b + n / 2] <= x->module) b += n / 2, n -= n / 2;
            else n /= 2;
        }
        GRN_TRY(grn_cistarget_edge(&r->ct, b, w->rank, &w->ct, &x->rank_at_max, w->hit, &x->n_gene));
        GRN_TRY(GRN_NEW_RAW(x->gene, x->n_gene));
        for (size_t i = 0; i < x->n_gene; i++) x->gene[i] = r->d->gene[w->hit[i]];
        if (x->n_gene) qsort(x->gene, x->n_gene, sizeof *x->gene, ascending);
    }
end:
    return rc;
}

static grn_status find_edges(run_t *r)
{
    grn_status rc = GRN_OK;
    grn_prune_t *p = &r->s->p;
    uint8_t *want = NULL;
    size_t M = r->d->db.M, n = 0;
    GRN_TRY(GRN_NEW(want, M));
    free(r->next);
    r->next = NULL;
    GRN_TRY(GRN_NEW_RAW(r->next, p->n - r->entry));
    for (size_t m = 0; m < M; m++) r->of_motif[m] = SIZE_MAX;
    for (size_t k = r->entry; k < p->n; k++) {
        uint32_t m = p->v[k].motif;
        if (!p->v[k].kind) continue;
        r->next[k - r->entry] = r->of_motif[m];
        r->of_motif[m] = k;
        n += !want[m];
        want[m] = 1;
    }
    if (n) GRN_TRY(grn_motifdb_pass(&r->d->db, want, second_work, r, grn_common.pool));
    for (size_t k = r->entry; k < p->n; k++) p->v[k].motif = r->d->motif[p->v[k].motif];
end:
    free(want);
    return rc;
}

static grn_status one_batch(run_t *r, size_t n)
{
    grn_status rc = GRN_OK;
    GRN_TRY(set_columns(r, n));
    GRN_TRY(grn_cistarget_init_at(&r->ct, r->d->db.M, r->d->db.N, r->d->cut, r->d->rt, r->n_workers, n, r->col, r->n_col));
    GRN_TRY(grn_motifdb_pass(&r->d->db, NULL, first_work, r, grn_common.pool));
    r->entry = r->s->p.n;
    GRN_TRY(select_motifs(r));
    GRN_TRY(find_edges(r));
end:
    grn_cistarget_clear(&r->ct);
    return rc;
}

static grn_status prepare(run_t *r, size_t largest, size_t at_once)
{
    grn_status rc = GRN_OK;
    GRN_TRY(GRN_NEW(r->work, r->n_workers));
    for (size_t i = 0; i < r->n_workers; i++) {
        r->work[i].ct.lane = i;
        GRN_TRY(GRN_NEW_RAW(r->work[i].rank, r->d->db.N));
        GRN_TRY(GRN_NEW_RAW(r->work[i].hit, largest + 1));
    }
    GRN_TRY(GRN_NEW_RAW(r->of_motif, r->d->db.M));
    GRN_TRY(GRN_NEW_RAW(r->col, at_once));
    GRN_TRY(GRN_NEW_RAW(r->n_col, at_once));
end:
    return rc;
}

static grn_status prune_in(state_t *s, size_t i_db)
{
    grn_status rc = GRN_OK;
    grn_prune_t *p = &s->p;
    run_t r = { .s = s, .i_db = i_db, .d = &s->db[i_db], .n_workers = (size_t)grn_par_n(grn_common.pool) };
    const uint64_t budget = grn_common.max_mem ? grn_common.max_mem / 2 : DEFAULT_BUDGET;
    size_t largest, at_once = (size_t)(budget / (16 * r.d->db.M + 8 * (r.n_workers + 1) * r.d->rt));
    GRN_TRY(choose(&r, &largest));
    if (at_once < 1) at_once = 1;
    if (at_once > r.n) at_once = r.n;
    if (!r.n) goto end;
    GRN_TRY(prepare(&r, largest, at_once));
    if (at_once < r.n)
        grn_log_info("'%s': %zu modules at once, %zu times through the database (--max-mem)", r.d->db.path, at_once,
                     2 * ((r.n + at_once - 1) / at_once));
    for (size_t n; r.first < r.n; r.first += n) {
        n = r.n - r.first < at_once ? r.n - r.first : at_once;
        GRN_TRY(one_batch(&r, n));
    }
    if (r.n_flat) grn_log_warn("'%s': all motifs have the same AUC in %" PRIu64 " modules: no NES", r.d->db.path, r.n_flat);
    GRN_TRY(grn_funnel_add(&p->funnel, "(module, motif) pairs", r.n_enriched, (uint64_t)r.n * r.d->db.M - r.n_enriched,
                           "%s: NES >= %g", r.d->db.path, p->opt->min_nes));
    GRN_TRY(grn_funnel_add(&p->funnel, "(module, motif) pairs", r.n_pairs, r.n_enriched - r.n_pairs,
                           "%s: of these, with a motif that stands for the TF", r.d->db.path));
end:
    run_clear(&r);
    return rc;
}

/* ---- all ---- */

/* Says so where no module could be looked at. */
static grn_status explain(state_t *s)
{
    grn_status rc = GRN_OK;
    grn_prune_t *p = &s->p;
    const grn_modules_t *m = &p->modules;
    char x[200], y[200];
    uint64_t mapped = 0;
    grn_names_t tfs = { 0 };
    if (!m->n || s->n_tried) return GRN_OK;
    for (size_t k = 0; k < p->n_db * m->n; k++) mapped += p->n_mapped[k];
    for (size_t k = 0; k < m->n; k++) GRN_TRY(grn_names_add(&tfs, grn_names_get(&p->e.genes, m->v[k].tf), NULL, NULL));
    if (s->n_with)
        snprintf(p->why, sizeof p->why,
                 "no module has more than %g of its genes in a database (%.1f%% of all are); first names: %s vs %s",
                 p->opt->min_mapped, 100.0 * (double)mapped / ((double)m->off[m->n] * (double)p->n_db),
                 grn_names_show(&p->e.genes, 3, x, sizeof x), grn_names_show(s->db[0].db.columns, 3, y, sizeof y));
    else
        snprintf(p->why, sizeof p->why, "no TF with a module has a motif in a database; first TFs: %s vs %s",
                 grn_names_show(&tfs, 3, x, sizeof x), grn_names_show(&s->annotation.tfs, 3, y, sizeof y));
end:
    grn_names_clear(&tfs);
    return rc;
}

static int by_strength(const void *x, const void *y, void *motifs)
{
    const grn_pruned_t *a = x, *b = y;
    if (a->module != b->module) return a->module < b->module ? -1 : 1;
    if (a->db != b->db) return a->db < b->db ? -1 : 1;
    if (a->nes != b->nes) return a->nes > b->nes ? -1 : 1;
    return strcmp(grn_names_get(motifs, a->motif), grn_names_get(motifs, b->motif));
}

grn_status grn_prune_run(const grn_prune_opt_t *opt)
{
    grn_status rc = GRN_OK;
    state_t s = { .p = { .opt = opt } };
    grn_prune_t *p = &s.p;
    GRN_TRY(load_links(p));
    GRN_TRY(open_databases(&s));
    GRN_TRY(annotate(&s));
    GRN_TRY(grn_modules_make(&p->e, p->importance, p->rho, &opt->modules, &p->funnel, &p->modules));
    GRN_TRY(GRN_NEW(p->n_mapped, p->n_db * p->modules.n));
    for (size_t i = 0; i < p->n_db && p->modules.n; i++) GRN_TRY(prune_in(&s, i));
    GRN_TRY(explain(&s));
    if (p->n) qsort_r(p->v, p->n, sizeof *p->v, by_strength, &p->motifs);
    if (opt->enriched) GRN_TRY(grn_prune_write_table(p));
    GRN_TRY(grn_prune_save(p));
end:
    state_clear(&s);
    return rc;
}
