#include "motifdb.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "io/counts.h"

#define BLOCK_BYTES ((size_t)256 << 20)
#define MAX_RANK ((size_t)1 << 24) /* float32 holds every whole number up to here */

void grn_motifdb_close(grn_motifdb_t *db)
{
    grn_mr_close(db->mr);
    grn_regions_clear(&db->place);
    grn_matrix_clear(&db->turned);
    *db = (grn_motifdb_t){ 0 };
}

static int is_region(const grn_names_t *d)
{
    grn_regions_t one = { 0 };
    grn_names_t first = { 0 };
    int ok = d->n && grn_names_add(&first, grn_names_get(d, 0), NULL, NULL) == GRN_OK && grn_regions_from_names(&first, &one) == GRN_OK;
    grn_regions_clear(&one);
    grn_names_clear(&first);
    return ok;
}

static grn_status check_values(const grn_motifdb_t *db)
{
    const char *values = grn_mr_meta(db->mr, "values");
    if (!values || (strcmp(values, "rank") == 0) == db->is_rank) return GRN_OK;
    return db->is_rank ? grn_err(GRN_EFORMAT, "'%s' holds values of kind '%s', not ranks: give it with --scores", db->path, values)
                       : grn_err(GRN_EFORMAT, "'%s' holds ranks, not scores", db->path);
}

/* A matrix regions x motifs, turned round. */
static grn_status turn(grn_motifdb_t *db, grn_par_t *pool)
{
    grn_status rc = GRN_OK;
    grn_matrix_t m = { 0 };
    const grn_matrix_t *info = grn_mr_info(db->mr);
    int got = grn_mr_next(db->mr, info->n_rows, &m);
    (void)pool;
    if (got < 0) return (grn_status)got;
    GRN_TRY(grn_matrix_to_csr(&m));
    GRN_TRY(grn_matrix_transpose(&m, &db->turned));
    grn_mr_close(db->mr);
    db->mr = NULL;
end:
    grn_matrix_clear(&m);
    return rc;
}

grn_status grn_motifdb_open(grn_motifdb_t *db, const char *path, int is_rank, int is_genes, grn_par_t *pool)
{
    grn_status rc = GRN_OK;
    grn_counts_opt_t copt = GRN_COUNTS_OPT_INIT;
    *db = (grn_motifdb_t){ .path = path, .is_rank = is_rank, .is_genes = is_genes };
    copt.dup = GRN_DUP_ERROR;
    copt.orient = GRN_ORIENT_CELLS_ROWS;
    GRN_TRY(grn_mr_open(&db->mr, path, &copt, pool));
    const grn_matrix_t *info = grn_mr_info(db->mr);
    if (!info->n_rows || !info->n_cols) GRN_FAIL(GRN_EEMPTY, "'%s' is empty: %" PRIu64 " x %" PRIu64, path, info->n_rows, info->n_cols);
    GRN_TRY(check_values(db));
    if (!is_genes && !is_region(&info->col)) {
        if (!is_region(&info->row))
            GRN_FAIL(GRN_EFORMAT, "'%s': neither columns ('%s') nor rows ('%s') are regions of the form chrom:start-end%s", path,
                     grn_names_get(&info->col, 0), grn_names_get(&info->row, 0), "; for genes give --sets-are-genes");
        if (is_rank) GRN_FAIL(GRN_EFORMAT, "'%s': rows are regions; a file of ranks has a row per motif", path);
        GRN_TRY(turn(db, pool));
        info = &db->turned;
        grn_log_info("'%s' is regions x motifs: turned round in memory", path);
    } else {
        grn_mr_bare(db->mr);
    }
    db->M = info->n_rows;
    db->N = info->n_cols;
    db->motifs = &info->row;
    db->columns = &info->col;
    if (is_rank && db->N > MAX_RANK)
        GRN_FAIL(GRN_EUNSUP, "'%s': ranks of %zu regions; at most %zu are held exactly", path, db->N, MAX_RANK);
    if (!is_genes && (rc = grn_regions_from_names(db->columns, &db->place))) GRN_TRY(grn_err_prefix(rc, "'%s'", path));
end:
    if (rc) grn_motifdb_close(db);
    return rc;
}

/* ---- the pass ---- */

typedef struct {
    grn_motifdb_t *db;
    const grn_matrix_t *b; /* the block */
    size_t first;          /* its first motif */
    const uint8_t *want;
    float **row; /* (workers) of sparse blocks: (N), zero between motifs */
    grn_motifdb_fn fn;
    void *ctx;
} pass_t;

static grn_status check_scores(const grn_motifdb_t *db, size_t motif, const float *v, const uint32_t *at, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (v[i] < 0)
            return grn_err(GRN_EFORMAT, "'%s': score %g of motif '%s' in '%s' is negative", db->path, (double)v[i],
                           grn_names_get(db->motifs, motif), grn_names_get(db->columns, at ? at[i] : i));
    return GRN_OK;
}

static grn_status pass_work(void *ctx, size_t begin, size_t end, int worker)
{
    grn_status rc = GRN_OK;
    pass_t *p = ctx;
    const grn_motifdb_t *db = p->db;
    for (size_t i = begin; i < end; i++) {
        size_t motif = p->first + i, n = 0;
        const uint32_t *idx = NULL;
        const float *val;
        if (p->want && !p->want[motif]) continue;
        if (p->b->is_dense) {
            val = p->b->dense + i * db->N;
            GRN_TRY(check_scores(db, motif, val, NULL, db->N));
            GRN_TRY(p->fn(p->ctx, motif, val, worker));
            continue;
        }
        float *row = p->row[worker];
        grn_matrix_row(p->b, p->b == &db->turned ? motif : i, &n, &idx, &val);
        GRN_TRY(check_scores(db, motif, val, idx, n));
        for (size_t k = 0; k < n; k++) row[idx[k]] = val[k];
        rc = p->fn(p->ctx, motif, row, worker);
        for (size_t k = 0; k < n; k++) row[idx[k]] = 0;
        if (rc) goto end;
    }
end:
    return rc;
}

/* From motif `at` on: how many to read next; *skip motifs in front of them are not wanted. A block that is wanted for the most part
 * is read whole, of others only runs of what is wanted. */
static size_t next_run(const pass_t *p, size_t at, size_t block, size_t *skip)
{
    const size_t M = p->db->M;
    size_t first = at, n = 0, wanted = 0, most;
    while (first < M && p->want && !p->want[first]) first++;
    *skip = first - at;
    most = M - first < block ? M - first : block;
    if (!p->want) return most;
    while (n < most && p->want[first + n]) n++;
    for (size_t k = 0; k < most; k++) wanted += p->want[first + k];
    return wanted * 4 >= most ? most : n;
}

static grn_status pass_file(pass_t *p, grn_par_t *pool)
{
    grn_status rc = GRN_OK;
    grn_motifdb_t *db = p->db;
    grn_matrix_t b = { 0 };
    size_t block = db->block ? db->block : BLOCK_BYTES / (db->N * sizeof(float)), skip, n;
    int got = 1;
    if (!block) block = 1;
    p->b = &b;
    for (size_t at = 0; at < db->M; at = p->first + n) {
        n = next_run(p, at, block, &skip);
        p->first = at + skip;
        grn_progress_add(skip);
        if (!n) break;
        GRN_TRY(grn_mr_seek(db->mr, p->first));
        if ((got = grn_mr_next(db->mr, n, &b)) < 0) GRN_TRY((grn_status)got);
        GRN_TRY(grn_par_for(pool, n, 1, pass_work, p));
        grn_progress_add(n);
    }
end:
    grn_matrix_clear(&b);
    return rc;
}

grn_status grn_motifdb_pass(grn_motifdb_t *db, const uint8_t *want, grn_motifdb_fn fn, void *ctx, grn_par_t *pool)
{
    grn_status rc = GRN_OK;
    pass_t p = { .db = db, .b = &db->turned, .want = want, .fn = fn, .ctx = ctx };
    size_t n_workers = (size_t)grn_par_n(pool);
    GRN_TRY(GRN_NEW(p.row, n_workers));
    if (!(db->mr && grn_mr_info(db->mr)->is_dense))
        for (size_t i = 0; i < n_workers; i++) GRN_TRY(GRN_NEW(p.row[i], db->N));
    grn_progress_begin(db->M, "motifs");
    GRN_TRY(db->mr ? pass_file(&p, pool) : grn_par_for(pool, db->M, 1, pass_work, &p));
end:
    grn_progress_end();
    for (size_t i = 0; p.row && i < n_workers; i++) free(p.row[i]);
    free(p.row);
    return rc;
}

grn_status grn_motifdb_ranks(const grn_motifdb_t *db, size_t motif, const float *row, uint32_t *rank)
{
    const uint64_t N = db->N;
    uint64_t sum = 0;
    for (size_t i = 0; i < N; i++) {
        if (!(row[i] < (float)N)) goto bad;
        rank[i] = (uint32_t)row[i];
        if ((float)rank[i] != row[i]) goto bad;
        sum += rank[i];
    }
    if (sum == N * (N - 1) / 2) return GRN_OK;
    return grn_err(GRN_EFORMAT,
                   "'%s': values of motif '%s' are no ranks 0 to %" PRIu64 ", each once: their sum is %" PRIu64 ", not %" PRIu64,
                   db->path, grn_names_get(db->motifs, motif), N - 1, sum, N * (N - 1) / 2);
bad:
    for (size_t i = 0; i < N; i++)
        if (!(row[i] < (float)N) || (float)(uint32_t)row[i] != row[i])
            return grn_err(GRN_EFORMAT, "'%s': %g of motif '%s' in '%s' is no rank from 0 to %" PRIu64, db->path, (double)row[i],
                           grn_names_get(db->motifs, motif), grn_names_get(db->columns, i), N - 1);
    return GRN_OK;
}
