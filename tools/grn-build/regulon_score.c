/* triplet_rank: order statistics of a triplet's ranks by TF -> gene importance, region -> gene importance and motif. */
#include <inttypes.h>
#include <math.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/opt.h"
#include "io/chrom.h"
#include "motifdb.h"
#include "ranking.h"
#include "regulon_priv.h"

enum { BY_TG, BY_RG, BY_MOTIF, N_RANKS };

typedef struct { /* a distinct triplet */
    uint32_t k, rg; /* TF; row of the region -> gene link */
    uint32_t tg, site;
    uint8_t combo;
} distinct_t;

typedef struct { /* a triplet of one TF before its copies in several types are seen as one */
    uint64_t key; /* combo, rg */
    uint32_t at;
} copy_t;

typedef struct {
    float v;
    uint32_t i;
} value_t;

typedef struct {
    grn_regulon_t *g;
    distinct_t *v; /* in order of names: TF, signs, gene, region */
    size_t n, cap;
    size_t *first; /* (n_tfs + 1) of the TF at that place of the order */
    uint32_t *order; /* (n_tfs) TFs by name */
    value_t *sorted;
    double *ratio; /* (n, N_RANKS) */
} score_t;

/* ---- distinct triplets ---- */

static int by_key(const void *a, const void *b)
{
    const copy_t *x = a, *y = b;
    return (x->key > y->key) - (x->key < y->key);
}

static int by_tf_name(const void *a, const void *b, void *ctx)
{
    const grn_regulon_t *g = ctx;
    return strcmp(grn_names_get(&g->genes, g->tfs[*(const uint32_t *)a]), grn_names_get(&g->genes, g->tfs[*(const uint32_t *)b]));
}

/* Leaves in each triplet's rank its place in z->v. Rows of the links are in order of names. */
static grn_status list_distinct(score_t *z)
{
    grn_status rc = GRN_OK;
    grn_regulon_t *g = z->g;
    copy_t *copy = NULL;
    size_t cap = 0;
    GRN_TRY(GRN_NEW_RAW(z->order, g->n_tfs));
    GRN_TRY(GRN_NEW(z->first, g->n_tfs + 1));
    for (size_t k = 0; k < g->n_tfs; k++) z->order[k] = (uint32_t)k;
    if (g->n_tfs) qsort_r(z->order, g->n_tfs, sizeof *z->order, by_tf_name, g);
    for (size_t o = 0; o < g->n_tfs; o++) {
        uint32_t k = z->order[o];
        grn_triplets_t *t = &g->found[k];
        GRN_TRY(GRN_GROW(copy, cap, t->n));
        for (size_t i = 0; i < t->n; i++) copy[i] = (copy_t){ (uint64_t)t->v[i].combo << 32 | t->v[i].rg, (uint32_t)i };
        if (t->n) qsort(copy, t->n, sizeof *copy, by_key);
        for (size_t i = 0; i < t->n; i++) {
            grn_triplet_t *x = &t->v[copy[i].at];
            if (!i || copy[i].key != copy[i - 1].key) {
                GRN_TRY(GRN_GROW(z->v, z->cap, z->n + 1));
                z->v[z->n++] = (distinct_t){ k, x->rg, x->tg, x->site, x->combo };
            }
            x->rank = (uint32_t)(z->n - 1);
        }
        z->first[o + 1] = z->n;
    }
    if (z->n >= UINT32_MAX) GRN_FAIL(GRN_EUNSUP, "%zu triplets, more than 2^32 - 2", z->n);
end:
    free(copy);
    return rc;
}

/* ---- ranks ---- */

static int falling(const void *a, const void *b)
{
    const value_t *x = a, *y = b;
    if (isnan(x->v) != isnan(y->v)) return isnan(x->v) ? 1 : -1;
    if (x->v != y->v && !isnan(x->v)) return x->v > y->v ? -1 : 1;
    return (x->i > y->i) - (x->i < y->i);
}

/* Rank ratios of the values in z->sorted[i].v of triplet i: the largest first, NaN last, ties by name. */
static void rank_values(score_t *z, int by)
{
    for (size_t i = 0; i < z->n; i++) z->sorted[i].i = (uint32_t)i;
    if (z->n) qsort(z->sorted, z->n, sizeof *z->sorted, falling);
    for (size_t i = 0; i < z->n; i++) z->ratio[z->sorted[i].i * (size_t)N_RANKS + (size_t)by] = (double)(i + 1) / (double)z->n;
}

/* ---- ranks of motifs ---- */

typedef struct {
    const score_t *z;
    grn_motifdb_t db;
    grn_motif_tfs_t tfs;   /* of the motifs of db */
    uint32_t *place_of;    /* (genes) place of a TF in z->order + 1; 0: none */
    size_t *off;           /* (regions + 1) columns of db that overlap a linked region */
    uint32_t *col;
    size_t cap;
    _Atomic uint32_t *best; /* (z->n) smallest rank; UINT32_MAX: none */
    uint32_t **rank;        /* per worker: (N) */
} motif_ranks_t;

static grn_status map_regions(motif_ranks_t *m)
{
    grn_status rc = GRN_OK;
    const grn_regions_t *r = &m->z->g->regions;
    size_t n = 0, found = 0;
    GRN_TRY(GRN_NEW(m->off, r->n + 1));
    for (size_t i = 0; i < r->n; i++) {
        size_t chrom = grn_chrom_find(&m->db.place.chroms, grn_names_get(&r->chroms, r->chrom[i]), NULL), more = 0;
        if (chrom != GRN_NAMES_NONE) {
            more = grn_regions_overlap(&m->db.place, chrom, r->start[i], r->end[i], NULL, 0);
            GRN_TRY(GRN_GROW(m->col, m->cap, n + more));
            grn_regions_overlap(&m->db.place, chrom, r->start[i], r->end[i], m->col + n, more);
        }
        found += more > 0;
        n += more;
        m->off[i + 1] = n;
    }
    grn_log_info("%zu of %zu linked regions overlap one of '%s'; motifs rank the others last", found, r->n, m->db.path);
    if (!found) GRN_FAIL(GRN_EEMPTY, "none of the %zu linked regions overlaps a region of '%s'", r->n, m->db.path);
end:
    return rc;
}

/* The motifs of each TF named in its cistromes. */
static grn_status motifs_of_cistromes(motif_ranks_t *m)
{
    grn_status rc = GRN_OK;
    const grn_regulon_t *g = m->z->g;
    size_t n = 0, *line = NULL, n_line = 0, cap = 0;
    uint8_t *has = NULL; /* (motifs of db, TFs) */
    const char *names = g->motif_names ? g->motif_names : "";
    for (const char *s = names; *s; s += strcspn(s, "\n"), s += *s == '\n') {
        GRN_TRY(GRN_GROW(line, cap, n_line + 1));
        line[n_line++] = grn_names_find_n(m->db.motifs, s, strcspn(s, "\n"));
    }
    GRN_TRY(GRN_NEW(has, m->db.M * g->n_tfs));
    for (size_t k = 0; k < g->n_tfs; k++)
        for (int kind = 0; kind < N_KINDS; kind++)
            for (size_t s = g->site_off[kind][g->tfs[k]]; s < g->site_off[kind][g->tfs[k] + 1]; s++) {
                float id = g->note[kind][s].motif;
                if (id >= 1 && id <= (float)n_line && line[(size_t)id - 1] != GRN_NAMES_NONE)
                    has[line[(size_t)id - 1] * g->n_tfs + k] = 1;
            }
    GRN_TRY(GRN_NEW(m->tfs.off, m->db.M + 1));
    for (size_t i = 0; i < m->db.M; i++) {
        for (size_t k = 0; k < g->n_tfs; k++) {
            if (!has[i * g->n_tfs + k]) continue;
            GRN_TRY(GRN_GROW(m->tfs.tf, m->tfs.cap, n + 1));
            m->tfs.tf[n++] = g->tfs[k];
        }
        m->tfs.off[i + 1] = n;
    }
    if (!n)
        GRN_FAIL(GRN_EEMPTY, "none of the motifs of '%s' is in '%s', which begins with '%s'", g->opt->cistromes, m->db.path,
                 grn_names_get(m->db.motifs, 0));
end:
    free(has);
    free(line);
    return rc;
}

static void lower(_Atomic uint32_t *best, uint32_t rank)
{
    uint32_t old = atomic_load_explicit(best, memory_order_relaxed);
    while (rank < old && !atomic_compare_exchange_weak_explicit(best, &old, rank, memory_order_relaxed, memory_order_relaxed)) {}
}

static grn_status take_motif(void *ctx, size_t motif, const float *row, int worker)
{
    grn_status rc = GRN_OK;
    motif_ranks_t *m = ctx;
    const score_t *z = m->z;
    GRN_TRY(grn_motifdb_ranks(&m->db, motif, row, m->rank[worker]));
    for (size_t i = m->tfs.off[motif]; i < m->tfs.off[motif + 1]; i++) {
        size_t o = m->place_of[m->tfs.tf[i]];
        if (!o--) continue;
        for (size_t t = z->first[o]; t < z->first[o + 1]; t++) {
            uint32_t region = z->g->rg.region[z->v[t].rg];
            for (size_t c = m->off[region]; c < m->off[region + 1]; c++) lower(&m->best[t], m->rank[worker][m->col[c]]);
        }
    }
end:
    return rc;
}

/* Least rank of the region by a motif of the TF -> z->sorted[].v, negative so that the largest is the best. */
static grn_status motif_ranks(score_t *z)
{
    grn_status rc = GRN_OK;
    const grn_regulon_t *g = z->g;
    motif_ranks_t m = { .z = z };
    uint8_t *want = NULL;
    int n_workers = grn_par_n(grn_common.pool);
    GRN_TRY(grn_motifdb_open(&m.db, g->opt->rankings, 1, 0, grn_common.pool));
    GRN_TRY(map_regions(&m));
    GRN_TRY(g->opt->cistromes ? motifs_of_cistromes(&m) : grn_motif_tfs(m.db.motifs, g->opt->motif2tf, &g->genes, &m.tfs));
    GRN_TRY(GRN_NEW(m.place_of, g->n_genes));
    for (size_t o = 0; o < g->n_tfs; o++) m.place_of[g->tfs[z->order[o]]] = (uint32_t)o + 1;
    GRN_TRY(GRN_NEW(want, m.db.M));
    for (size_t i = 0; i < m.db.M; i++)
        for (size_t t = m.tfs.off[i]; t < m.tfs.off[i + 1]; t++) want[i] |= m.place_of[m.tfs.tf[t]] != 0;
    GRN_TRY(GRN_NEW(m.best, z->n));
    for (size_t i = 0; i < z->n; i++) atomic_init(&m.best[i], UINT32_MAX);
    GRN_TRY(GRN_NEW(m.rank, (size_t)n_workers));
    for (int w = 0; w < n_workers; w++) GRN_TRY(GRN_NEW_RAW(m.rank[w], m.db.N));
    GRN_TRY(grn_motifdb_pass(&m.db, want, take_motif, &m, grn_common.pool));
    for (size_t i = 0; i < z->n; i++) {
        uint32_t rank = atomic_load_explicit(&m.best[i], memory_order_relaxed);
        z->sorted[i].v = rank == UINT32_MAX ? NAN : -(float)rank; /* at most 2^24: exact */
    }
end:
    for (int w = 0; m.rank && w < n_workers; w++) free(m.rank[w]);
    free(m.rank);
    free(m.best);
    free(want);
    free(m.place_of);
    free(m.off);
    free(m.col);
    grn_motif_tfs_clear(&m.tfs);
    grn_motifdb_close(&m.db);
    return rc;
}

/* ---- the score ---- */

static grn_status rank_all(score_t *z)
{
    grn_status rc = GRN_OK;
    const grn_regulon_t *g = z->g;
    for (size_t i = 0; i < z->n; i++) z->sorted[i].v = z->v[i].tg == NO_ROW ? g->self[z->v[i].k] : g->imp_tg[z->v[i].tg];
    rank_values(z, BY_TG);
    for (size_t i = 0; i < z->n; i++) z->sorted[i].v = g->imp_rg[z->v[i].rg];
    rank_values(z, BY_RG);
    if (g->opt->rankings) GRN_TRY(motif_ranks(z));
    for (size_t i = 0; !g->opt->rankings && i < z->n; i++)
        z->sorted[i].v = g->sites[z->v[i].combo & IS_EXTENDED ? EXTENDED : DIRECT].v[z->v[i].site].score;
    rank_values(z, BY_MOTIF);
end:
    return rc;
}

typedef struct {
    double q;
    uint32_t i;
} q_t;

static int rising(const void *a, const void *b)
{
    const q_t *x = a, *y = b;
    if (x->q != y->q) return x->q < y->q ? -1 : 1;
    return (x->i > y->i) - (x->i < y->i);
}

grn_status grn_regulon_check_rankings(const char *path)
{
    grn_motifdb_t db;
    grn_status rc = grn_motifdb_open(&db, path, 1, 0, grn_common.pool);
    if (rc == GRN_OK) grn_motifdb_close(&db);
    return rc;
}

grn_status grn_regulon_score(grn_regulon_t *g)
{
    grn_status rc = GRN_OK;
    score_t z = { .g = g };
    q_t *q = NULL;
    uint32_t *rank = NULL;
    GRN_TRY(list_distinct(&z));
    if (!z.n) goto end;
    GRN_TRY(GRN_NEW_RAW(z.sorted, z.n));
    GRN_TRY(GRN_NEW_RAW(z.ratio, z.n * N_RANKS));
    GRN_TRY(GRN_NEW_RAW(q, z.n));
    GRN_TRY(GRN_NEW_RAW(rank, z.n));
    GRN_TRY(rank_all(&z));
    for (size_t i = 0; i < z.n; i++) q[i] = (q_t){ grn_ranking_q(z.ratio + i * N_RANKS, N_RANKS), (uint32_t)i };
    qsort(q, z.n, sizeof *q, rising);
    for (size_t i = 0; i < z.n; i++) rank[q[i].i] = (uint32_t)i;
    for (size_t k = 0; k < g->n_tfs; k++)
        for (size_t i = 0; i < g->found[k].n; i++) g->found[k].v[i].rank = rank[g->found[k].v[i].rank];
end:
    free(rank);
    free(q);
    free(z.v);
    free(z.first);
    free(z.order);
    free(z.sorted);
    free(z.ratio);
    return rc;
}
