#include "grn-threshold/scores.h"

#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"

enum { COLUMNS = 16, BLOCK_BYTES = 16 << 20 }; /* regulons turned together: one cache line of every row */

uint64_t threshold_scores_bytes(uint64_t n_cells, uint64_t n_regulons)
{
    return 4 * n_cells * n_regulons;
}

typedef struct {
    const threshold_scores_t *s;
    const grn_matrix_t *block;
    uint64_t at;   /* its first cell */
    float *turned; /* (R, rows of the block), for the file */
} turn_t;

static grn_status turn_chunk(void *ctx, size_t begin, size_t end, int worker)
{
    const turn_t *t = ctx;
    size_t n = (size_t)t->block->n_rows, width = t->s->n_regulons;
    (void)worker;
    for (size_t i = 0; i < n; i++) {
        const float *row = t->block->dense + i * width;
        size_t to = t->turned ? i : t->s->g->place[t->at + i], stride = t->turned ? n : (size_t)t->s->n_cells;
        float *out = t->turned ? t->turned : t->s->column;
        for (size_t r = begin; r < end; r++) out[r * stride + to] = row[r];
    }
    return GRN_OK;
}

grn_status threshold_scores_read(grn_mr_t *in, const threshold_groups_t *g, int spool, grn_par_t *pool, threshold_scores_t *s)
{
    grn_status rc = GRN_OK;
    grn_matrix_t block = { 0 };
    turn_t t = { s, &block, 0, NULL };
    int got = 0;
    memset(s, 0, sizeof *s);
    s->fd = -1;
    s->g = g;
    s->n_cells = grn_mr_info(in)->n_rows;
    s->n_regulons = (size_t)grn_mr_info(in)->n_cols;
    s->rows = BLOCK_BYTES / (4 * s->n_regulons) + 1;
    if (s->rows > s->n_cells) s->rows = s->n_cells;
    if (spool) {
        GRN_TRY(grn_tmp_open(&s->fd));
        GRN_TRY(GRN_NEW_RAW(t.turned, s->rows * s->n_regulons));
    } else {
        GRN_TRY(GRN_NEW_RAW(s->column, s->n_cells * s->n_regulons));
    }
    grn_mr_bare(in);
    grn_progress_begin(s->n_cells, "cells");
    while ((got = grn_mr_next(in, s->rows, &block)) > 0) {
        GRN_TRY(grn_matrix_to_dense(&block));
        GRN_TRY(grn_par_for(pool, s->n_regulons, COLUMNS, turn_chunk, &t));
        if (spool)
            GRN_TRY(grn_write_full(s->fd, t.turned, block.n_rows * s->n_regulons * sizeof *t.turned, "temporary file of scores"));
        t.at += block.n_rows;
        grn_progress_add(block.n_rows);
    }
    rc = (grn_status)got;
end:
    grn_progress_end();
    grn_matrix_clear(&block);
    free(t.turned);
    if (rc != GRN_OK) threshold_scores_clear(s);
    return rc;
}

void threshold_scores_clear(threshold_scores_t *s)
{
    if (s->g && s->fd >= 0) close(s->fd);
    free(s->column);
    memset(s, 0, sizeof *s);
    s->fd = -1;
}

grn_status threshold_scores_get(const threshold_scores_t *s, size_t first, size_t n, float *room, const float **x)
{
    grn_status rc = GRN_OK;
    float *piece = NULL;
    *x = s->column ? s->column + first * s->n_cells : room;
    if (s->column) return GRN_OK;
    GRN_TRY(GRN_NEW_RAW(piece, n * s->rows));
    for (uint64_t at = 0; at < s->n_cells; at += s->rows) {
        uint64_t rows = s->n_cells - at < s->rows ? s->n_cells - at : s->rows;
        GRN_TRY(grn_pread_full(s->fd, piece, n * rows * sizeof *piece, (at * s->n_regulons + first * rows) * sizeof *piece,
                               "temporary file of scores"));
        for (size_t r = 0; r < n; r++)
            for (uint64_t i = 0; i < rows; i++) room[r * s->n_cells + s->g->place[at + i]] = piece[r * rows + i];
    }
end:
    free(piece);
    return rc;
}
