/* grn-build rank: motif scores to rankings of regions, of one species or of several. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "build.h"
#include "io/matrix.h"
#include "motifdb.h"
#include "ranking.h"

#define BLOCK_BYTES ((uint64_t)256 << 20) /* ranks held at a time, unless --max-mem says less */
#define MAX_EXACT ((size_t)1 << 24)       /* whole numbers that a float holds */

static struct {
    const char *output, *ties;
    int by_region, genes;
} opt = { .output = "-", .ties = "name" };

static const grn_opt_t table[] = {
    GRN_OPT_HEAD("Ranking"),
    GRN_OPT_ENUM(0, "ties", "name|average", &opt.ties,
                 "equal scores: ordered by the names of motif and region, or all the mean of their ranks"),
    GRN_OPT_FLAG(0, "genes", &opt.genes, "the columns are genes, not regions"),
    GRN_OPT_HEAD("Output"),
    GRN_OPT_STR('o', "output", "FILE", &opt.output, "motifs x regions, ranks from 0, the best; grn.matrix/1"),
    GRN_OPT_FLAG(0, "regions-first", &opt.by_region, "regions x motifs: all of one region is read without the rest"),
    GRN_OPT_END,
};

typedef struct {
    grn_motifdb_t db;
    uint32_t *place; /* of other species: (N of the reference) column with that name; UINT32_MAX: none */
    size_t *row;     /* (M of the reference) motif with that name */
    uint64_t *hash;  /* (N) of the column names */
    uint32_t *rank;  /* (block, N) */
    uint8_t *want;   /* (M) in the block */
    uint32_t *slot;  /* (M) where there */
} species_t;

typedef struct {
    species_t *sp;
    size_t n_sp;
    size_t *motif; /* (M) motifs of the reference that all species have */
    size_t M, N;
    grn_ranking_t *work; /* (workers) */
    double **ratio;      /* (workers) */
    float **score;       /* (workers) (N) */
    /* the block: motif[b0 .. b0 + bn) */
    size_t b0, bn, step;
    species_t *now;
    float *out; /* (step, N) */
} rank_t;

static void rank_clear(rank_t *r)
{
    for (size_t s = 0; r->sp && s < r->n_sp; s++) {
        species_t *x = &r->sp[s];
        free(x->place);
        free(x->row);
        free(x->hash);
        free(x->rank);
        free(x->want);
        free(x->slot);
        grn_motifdb_close(&x->db);
    }
    for (int w = 0; w < grn_par_n(grn_common.pool); w++) {
        if (r->work) grn_ranking_clear(&r->work[w]);
        if (r->ratio) free(r->ratio[w]);
        if (r->score) free(r->score[w]);
    }
    free(r->sp);
    free(r->work);
    free(r->ratio);
    free(r->score);
    free(r->motif);
    free(r->out);
}

static grn_status open_species(rank_t *r, species_t *x, const char *path)
{
    grn_status rc = GRN_OK;
    GRN_TRY(grn_motifdb_open(&x->db, path, 0, opt.genes, grn_common.pool));
    if (x->db.N > MAX_EXACT) GRN_FAIL(GRN_EUNSUP, "'%s' has %zu regions; at most 16,777,216 are ranked", path, x->db.N);
    GRN_TRY(GRN_NEW_RAW(x->hash, x->db.N));
    GRN_TRY(GRN_NEW(x->want, x->db.M));
    GRN_TRY(GRN_NEW_RAW(x->slot, x->db.M));
    grn_ranking_hashes(x->db.columns, x->hash);
    if (x == r->sp) return GRN_OK;
    const grn_motifdb_t *ref = &r->sp->db;
    size_t n_place = 0;
    GRN_TRY(GRN_NEW_RAW(x->place, ref->N));
    GRN_TRY(GRN_NEW_RAW(x->row, ref->M));
    for (size_t i = 0; i < ref->N; i++) {
        size_t k = grn_names_find(x->db.columns, grn_names_get(ref->columns, i));
        x->place[i] = k == GRN_NAMES_NONE ? UINT32_MAX : (uint32_t)k;
        n_place += k != GRN_NAMES_NONE;
    }
    for (size_t i = 0; i < ref->M; i++) x->row[i] = grn_names_find(x->db.motifs, grn_names_get(ref->motifs, i));
    if (!n_place)
        GRN_FAIL(GRN_EEMPTY, "no region of '%s' is in '%s' under the same name; its first: %s", ref->path, path,
                 grn_names_get(x->db.columns, 0));
    grn_log_info("species: %zu of %zu regions have a counterpart in '%s'", n_place, ref->N, path);
end:
    return rc;
}

/* The motifs that every species has. */
static grn_status choose_motifs(rank_t *r)
{
    grn_status rc = GRN_NEW_RAW(r->motif, r->sp->db.M);
    if (rc) return rc;
    for (size_t i = 0; i < r->sp->db.M; i++) {
        int all = 1;
        for (size_t s = 1; s < r->n_sp; s++) all &= r->sp[s].row[i] != GRN_NAMES_NONE;
        if (all) r->motif[r->M++] = i;
    }
    if (!r->M) return grn_err(GRN_EEMPTY, "no motif is in all %zu files", r->n_sp);
    if (r->M < r->sp->db.M)
        grn_log_warn("motifs: %zu of %zu are in all %zu files; the others are left out", r->M, r->sp->db.M, r->n_sp);
    return GRN_OK;
}

static grn_status prepare(rank_t *r)
{
    grn_status rc = GRN_OK;
    size_t n = (size_t)grn_par_n(grn_common.pool), all = 0;
    uint64_t room = grn_common.max_mem && grn_common.max_mem / 4 < BLOCK_BYTES ? grn_common.max_mem / 4 : BLOCK_BYTES;
    for (size_t s = 0; s < r->n_sp; s++) all += r->sp[s].db.N;
    r->N = r->sp->db.N;
    r->step = (size_t)(room / (all * 4));
    if (!r->step) r->step = 1;
    if (r->step > r->M) r->step = r->M;
    GRN_TRY(GRN_NEW(r->work, n));
    GRN_TRY(GRN_NEW(r->ratio, n));
    GRN_TRY(GRN_NEW(r->score, n));
    for (size_t w = 0; w < n; w++) {
        GRN_TRY(GRN_NEW_RAW(r->ratio[w], r->n_sp));
        GRN_TRY(GRN_NEW_RAW(r->score[w], r->N));
    }
    for (size_t s = 0; s < r->n_sp; s++) GRN_TRY(GRN_NEW_RAW(r->sp[s].rank, r->step * r->sp[s].db.N));
    GRN_TRY(GRN_NEW_RAW(r->out, r->step * r->N));
end:
    return rc;
}

/* ---- a block ---- */

static uint64_t motif_hash(const grn_motifdb_t *db, size_t m)
{
    return grn_hash_str(grn_names_get(db->motifs, m));
}

static grn_status rank_row(void *ctx, size_t m, const float *row, int worker)
{
    rank_t *r = ctx;
    species_t *x = r->now;
    return grn_ranking_of(&r->work[worker], row, x->hash, x->db.N, grn_common.seed, motif_hash(&x->db, m),
                          x->rank + (size_t)x->slot[m] * x->db.N);
}

/* Each tie group of a motif's scores gets the mean of its ranks. */
static grn_status average_row(void *ctx, size_t m, const float *row, int worker)
{
    rank_t *r = ctx;
    species_t *x = r->now;
    uint32_t *rank = x->rank + (size_t)x->slot[m] * x->db.N, *at = (uint32_t *)r->score[worker];
    float *out = r->out + (size_t)x->slot[m] * x->db.N;
    grn_status rc = rank_row(ctx, m, row, worker);
    if (rc) return rc;
    for (size_t i = 0; i < x->db.N; i++) at[rank[i]] = (uint32_t)i;
    for (size_t i = 0, end; i < x->db.N; i = end) {
        for (end = i + 1; end < x->db.N && row[at[end]] == row[at[i]]; end++) {}
        for (size_t k = i; k < end; k++) out[at[k]] = (float)((double)(i + end - 1) / 2);
    }
    return GRN_OK;
}

/* Order statistics over species: r = (rank + 1) / N, Q of those that have the region; ranked by Q. */
static grn_status join_work(void *ctx, size_t begin, size_t end, int worker)
{
    rank_t *r = ctx;
    grn_status rc = GRN_OK;
    for (size_t k = begin; k < end; k++) {
        const species_t *ref = r->sp;
        float *score = r->score[worker], *out = r->out + k * r->N;
        double *ratio = r->ratio[worker];
        for (size_t i = 0; i < r->N; i++) {
            size_t n = 0;
            for (size_t s = 0; s < r->n_sp; s++) {
                const species_t *x = &r->sp[s];
                uint32_t at = s ? x->place[i] : (uint32_t)i;
                if (at != UINT32_MAX) ratio[n++] = (x->rank[k * x->db.N + at] + 1.0) / (double)x->db.N;
            }
            score[i] = (float)-log(grn_ranking_q(ratio, n));
        }
        uint32_t *rank = ref->rank + k * r->N; /* its own ranks are in the scores by now */
        GRN_TRY(
            grn_ranking_of(&r->work[worker], score, ref->hash, r->N, grn_common.seed, motif_hash(&ref->db, r->motif[r->b0 + k]), rank));
        for (size_t i = 0; i < r->N; i++) out[i] = (float)rank[i];
    }
end:
    return rc;
}

static grn_status rank_block(rank_t *r)
{
    grn_status rc = GRN_OK;
    int average = !strcmp(opt.ties, "average");
    for (size_t s = 0; s < r->n_sp; s++) {
        species_t *x = r->now = &r->sp[s];
        memset(x->want, 0, x->db.M);
        for (size_t k = 0; k < r->bn; k++) {
            size_t m = x->row ? x->row[r->motif[r->b0 + k]] : r->motif[r->b0 + k];
            x->want[m] = 1;
            x->slot[m] = (uint32_t)k;
        }
        GRN_TRY(grn_motifdb_pass(&x->db, x->want, average ? average_row : rank_row, r, grn_common.pool));
    }
    if (r->n_sp > 1) GRN_TRY(grn_par_for(grn_common.pool, r->bn, 1, join_work, r));
    else if (!average)
        for (size_t i = 0; i < r->bn * r->N; i++) r->out[i] = (float)r->sp->rank[i];
end:
    return rc;
}

/* ---- output ---- */

static grn_status open_output(const rank_t *r, const grn_names_t *col, grn_mw_t **w)
{
    grn_status rc = GRN_OK;
    char text[64];
    GRN_TRY(grn_mw_open(w, opt.output, col, NULL, 1, grn_common.pool));
    GRN_TRY(grn_mw_meta(*w, "values", "rank"));
    GRN_TRY(grn_mw_meta(*w, "ties", opt.ties));
    snprintf(text, sizeof text, "%zu", r->N);
    GRN_TRY(grn_mw_meta(*w, "n_regions", text));
    snprintf(text, sizeof text, "%zu", r->n_sp);
    GRN_TRY(grn_mw_meta(*w, "n_species", text));
end:
    return rc;
}

static const char *motif_name(const rank_t *r, size_t k)
{
    return grn_names_get(r->sp->db.motifs, r->motif[k]);
}

static grn_status append(grn_mw_t *w, grn_matrix_t *m)
{
    m->is_dense = 1;
    grn_status rc = grn_mw_append(w, m);
    m->dense = NULL;
    grn_matrix_clear(m);
    return rc;
}

static grn_status write_block(const rank_t *r, grn_mw_t *w)
{
    grn_matrix_t m = { .n_rows = r->bn, .n_cols = r->N, .dense = r->out };
    for (size_t k = 0; k < r->bn; k++) {
        grn_status rc = grn_names_add(&m.row, motif_name(r, r->b0 + k), NULL, NULL);
        if (rc) return rc;
    }
    return append(w, &m);
}

/* From a spool (M, N) of floats: regions x motifs, as many regions at a time as `room` floats hold. */
static grn_status write_turned(const rank_t *r, int spool, grn_mw_t *w)
{
    grn_status rc = GRN_OK;
    float *piece = NULL, *out = NULL;
    size_t room = r->step * r->N, step = room / r->M ? room / r->M : 1;
    if (step > r->N) step = r->N;
    GRN_TRY(GRN_NEW_RAW(piece, step));
    GRN_TRY(GRN_NEW_RAW(out, step * r->M));
    for (size_t at = 0; at < r->N; at += step) {
        size_t n = r->N - at < step ? r->N - at : step;
        grn_matrix_t m = { .n_rows = n, .n_cols = r->M, .dense = out };
        for (size_t k = 0; k < r->M; k++) {
            GRN_TRY(grn_pread_full(spool, piece, n * sizeof *piece, (k * r->N + at) * sizeof *piece, "a temporary file"));
            for (size_t i = 0; i < n; i++) out[i * r->M + k] = piece[i];
        }
        for (size_t i = 0; i < n; i++) GRN_TRY(grn_names_add(&m.row, grn_names_get(r->sp->db.columns, at + i), NULL, NULL));
        GRN_TRY(append(w, &m));
    }
end:
    free(piece);
    free(out);
    return rc;
}

static grn_status motif_names(const rank_t *r, grn_names_t *names)
{
    for (size_t k = 0; k < r->M; k++) {
        grn_status rc = grn_names_add(names, motif_name(r, k), NULL, NULL);
        if (rc) return rc;
    }
    return GRN_OK;
}

static grn_status rank_all(rank_t *r)
{
    grn_status rc = GRN_OK;
    grn_mw_t *w = NULL;
    int spool = -1;
    grn_names_t motifs = { 0 };
    GRN_TRY(motif_names(r, &motifs));
    GRN_TRY(open_output(r, opt.by_region ? &motifs : r->sp->db.columns, &w));
    if (opt.by_region) GRN_TRY(grn_tmp_open(&spool));
    for (r->b0 = 0; r->b0 < r->M; r->b0 += r->bn) {
        r->bn = r->M - r->b0 < r->step ? r->M - r->b0 : r->step;
        GRN_TRY(rank_block(r));
        if (!opt.by_region) GRN_TRY(write_block(r, w));
        else GRN_TRY(grn_write_full(spool, r->out, r->bn * r->N * sizeof *r->out, "a temporary file"));
    }
    if (opt.by_region) GRN_TRY(write_turned(r, spool, w));
    grn_mw_t *done = w;
    w = NULL;
    GRN_TRY(grn_mw_commit(done));
end:
    if (spool >= 0) (void)close(spool);
    grn_names_clear(&motifs);
    grn_mw_abort(w);
    return rc;
}

static grn_status run(const grn_args_t *args)
{
    grn_status rc = GRN_OK;
    rank_t r = { .n_sp = (size_t)args->n };
    if (args->n > 1 && !strcmp(opt.ties, "average")) GRN_FAIL(GRN_EUSAGE, "--ties average goes with one file of scores");
    GRN_TRY(GRN_NEW(r.sp, r.n_sp));
    for (int s = 0; s < args->n; s++) GRN_TRY(open_species(&r, &r.sp[s], args->v[s]));
    GRN_TRY(choose_motifs(&r));
    GRN_TRY(prepare(&r));
    GRN_TRY(rank_all(&r));
    grn_log_info("ranks: %zu motifs x %zu %s%s", r.M, r.N, opt.genes ? "genes" : "regions",
                 r.n_sp > 1 ? ", by order statistics over species" : "");
end:
    rank_clear(&r);
    return rc;
}

const grn_subtool_t grn_build_rank = {
    .tool = { .name = "grn-build rank",
              .brief = "motif scores to rankings of regions, of one species or several",
              .usage = "[options] SCORES [SCORES of other species...]",
              .opt = table,
              .min_args = 1,
              .max_args = 64,
              .examples = "  grn-build rank scores.tensor.zst -o ranks.tensor.zst\n"
                          "  grn-build rank human.scores.tensor.zst mouse_lifted.tensor.zst -o ranks.tensor.zst\n" },
    .run = run,
};
